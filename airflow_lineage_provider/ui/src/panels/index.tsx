import { useColumns, useDataset, useSource } from "../api/hooks";
import type { RunRef } from "../api/source";
import { Answer } from "../common/Answer";
import { useShowRun } from "../common/useShowRun";
import { useNavigate, useOption } from "../shell/view";
import { DatasetPanel } from "./DatasetPanel";

interface Props {
  run: RunRef;
  dataset: string;
  column: string | null;
  onClose: () => void;
}

/** What is known about the selected dataset, beside the graph. */
export function SidePanel({ run, dataset, column, onClose }: Props) {
  const navigate = useNavigate();
  const showRun = useShowRun(run);
  const { live } = useSource();
  const [tab, setTab] = useOption("panel", "schema");
  const detail = useDataset(run, dataset);
  const columns = useColumns(run, dataset);
  return (
    <aside className="ln-side" aria-label={`Details of ${dataset}`}>
      <Answer query={detail} what="the dataset">
        {(data) => (
          <DatasetPanel
            detail={data}
            edges={columns.data?.edges ?? []}
            column={column}
            tab={tab}
            onTab={setTab}
            onColumn={(name) => {
              navigate({ dataset, column: name });
            }}
            onDataset={(id, name) => {
              navigate({ tab: "graph", dataset: id, column: name ?? null });
            }}
            onRun={showRun}
            onImpact={
              live
                ? (id, name) => {
                    navigate({ tab: "impact", dataset: id, column: name });
                  }
                : null
            }
            onClose={onClose}
          />
        )}
      </Answer>
    </aside>
  );
}
