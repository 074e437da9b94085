import { useRuns } from "../api/hooks";
import type { RunRef } from "../api/source";
import { Search } from "./Search";
import { useNavigate, type Tab, type View } from "./view";

const LABELS: Record<Tab, string> = { graph: "Graph", runs: "Runs", findings: "Findings", impact: "Impact" };

interface Props {
  view: View;
  run: RunRef;
  /** Whether the run can be changed here (not on a run's own tab). */
  chooseRun: boolean;
  /** Whether the DAG can be left here (on the page of the navigation). */
  chooseDag: boolean;
  /** What the source of the data can answer. */
  tabs: readonly Tab[];
}

function RunChoice({ run }: { run: RunRef }) {
  const navigate = useNavigate();
  const runs = useRuns(run.dag);
  const known = runs.data?.items ?? [];
  return (
    <label className="ln-run">
      <span className="ln-sr">Run</span>
      <select
        value={run.run}
        onChange={(event) => {
          navigate({ run: event.target.value === "~latest" ? null : event.target.value });
        }}
      >
        <option value="~latest">Latest run</option>
        {run.run !== "~latest" && !known.some(({ run_id }) => run_id === run.run) && <option value={run.run}>{run.run}</option>}
        {known.map(({ run_id, outcome, state }) => (
          <option key={run_id} value={run_id}>
            {run_id} ({outcome ?? state})
          </option>
        ))}
      </select>
    </label>
  );
}

/** The tabs of a run, its search, and the choice of the run. */
export function TabBar({ view, run, chooseRun, chooseDag, tabs }: Props) {
  const navigate = useNavigate();
  return (
    <div className="ln-bar">
      {chooseDag && (
        <button
          type="button"
          className="ln-link"
          onClick={() => {
            navigate({ dag: null, run: null, dataset: null, column: null, focus: null, collapsed: [], open: [], tab: "graph" });
          }}
        >
          All DAGs
        </button>
      )}
      <nav className="ln-tabs" aria-label="Lineage">
        {(tabs.length > 1 ? tabs : []).map((tab) => (
          <button
            key={tab}
            type="button"
            className="ln-tab"
            aria-current={tab === view.tab ? "page" : undefined}
            onClick={() => {
              navigate({ tab });
            }}
          >
            {LABELS[tab]}
          </button>
        ))}
      </nav>
      <Search run={run} />
      {chooseRun && <RunChoice run={run} />}
    </div>
  );
}
