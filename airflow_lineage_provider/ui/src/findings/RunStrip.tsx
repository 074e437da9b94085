import type { RunSummary } from "../api/types";
import { plural, time } from "../common/format";
import { moveFocus } from "../common/roving";

const SIGNS = { PASS: "✓", WARN: "!", DRIFT: "✕" } as const;

interface Props {
  /** Newest first, as the API gives them. */
  runs: readonly RunSummary[];
  selected: string;
  onRun: (runId: string) => void;
}

/** The last 50 runs by outcome, oldest at the left. Arrow keys move, Enter chooses. */
export function RunStrip({ runs, selected, onRun }: Props) {
  const shown = runs.slice(0, 50).reverse();
  if (!shown.length) return null;
  const current = shown.some((run) => run.run_id === selected) ? selected : shown.at(-1)?.run_id;
  return (
    <div className="ln-strip-box">
      <span className="ln-muted">Last {plural(shown.length, "run")}, the newest at the right</span>
      <div role="toolbar" aria-label={`Outcomes of the last ${shown.length} runs`} className="ln-strip">
        {shown.map((run) => (
          <button
            key={run.run_id}
            type="button"
            tabIndex={run.run_id === current ? 0 : -1}
            aria-pressed={run.run_id === selected}
            aria-label={describe(run)}
            title={describe(run)}
            className={`ln-strip-run ln-outcome-${(run.outcome ?? "none").toLowerCase()}`}
            onKeyDown={moveFocus}
            onClick={() => {
              onRun(run.run_id);
            }}
          >
            <span aria-hidden="true">{run.outcome === null ? "·" : SIGNS[run.outcome]}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

function describe(run: RunSummary): string {
  const found = run.outcome === null ? `not compared, ${run.state}` : run.outcome;
  const parts = [run.run_id, time(run.started), found];
  if (run.errors) parts.push(plural(run.errors, "error"));
  if (run.warnings) parts.push(plural(run.warnings, "warning"));
  return parts.join(", ");
}
