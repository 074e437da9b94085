import type { PageProps } from "../shell/page";
import { useGraph } from "../api/hooks";

export function GraphTab({ run }: PageProps) {
  const graph = useGraph(run);
  if (graph.isPending) return <p role="status">Loading the lineage graph</p>;
  if (graph.isError) return <p role="alert">{graph.error.message}</p>;
  return <p>{graph.data.datasets.length} datasets</p>;
}
