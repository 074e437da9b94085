import type { RunRef } from "../api/source";
import { TABS, useNavigate, type Tab, type View } from "./view";

const LABELS: Record<Tab, string> = { graph: "Graph", runs: "Runs", findings: "Findings", impact: "Impact" };

interface Props {
  view: View;
  run: RunRef;
  /** Whether the run can be changed here (not on a run's own tab). */
  chooseRun: boolean;
}

export function TabBar({ view, run }: Props) {
  const navigate = useNavigate();
  return (
    <nav className="ln-tabs" aria-label={`Lineage of ${run.dag}`}>
      {TABS.map((tab) => (
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
  );
}
