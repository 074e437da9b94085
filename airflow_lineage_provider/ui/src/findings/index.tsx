import { useFindings, useGraph, useRuns } from "../api/hooks";
import { Answer } from "../common/Answer";
import { useShowRun } from "../common/useShowRun";
import type { PageProps } from "../shell/page";
import { useNavigate, useOption } from "../shell/view";
import { FindingsView } from "./FindingsView";

/** The findings of a run. */
export function FindingsTab({ run }: PageProps) {
  const navigate = useNavigate();
  const showRun = useShowRun(run);
  const [text, setText] = useOption("find", "");
  const [severity, setSeverity] = useOption("severity", "");
  const [code, setCode] = useOption("code", "");
  const graph = useGraph(run);
  const runs = useRuns(run.dag);
  const findings = useFindings(run);
  return (
    <Answer query={graph} what="the run">
      {(shown) => (
        <Answer query={findings} what="the findings">
          {(found) => (
            <FindingsView
              findings={found.items}
              runs={runs.data?.items ?? []}
              run={shown.run}
              filter={{ text, severity, code }}
              onFilter={(filter) => {
                if (filter.text !== text) setText(filter.text);
                if (filter.severity !== severity) setSeverity(filter.severity);
                if (filter.code !== code) setCode(filter.code);
              }}
              onDataset={(dataset, column) => {
                navigate({ tab: "graph", dataset, column: column ?? null });
              }}
              onRun={showRun}
              onFailedJobs={() => {
                navigate({ tab: "runs", options: { state: "failed" } });
              }}
            />
          )}
        </Answer>
      )}
    </Answer>
  );
}
