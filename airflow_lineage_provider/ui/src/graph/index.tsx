import { useGraph } from "../api/hooks";
import { Answer } from "../common/Answer";
import type { PageProps } from "../shell/page";
import { GraphView } from "./GraphView";

/** The tab with the graph of a run. */
export function GraphTab({ run, view }: PageProps) {
  return (
    <Answer query={useGraph(run)} what="the lineage graph">
      {(graph) => <GraphView run={run} graph={graph} view={view} />}
    </Answer>
  );
}
