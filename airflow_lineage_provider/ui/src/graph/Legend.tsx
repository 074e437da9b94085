import type { Edge, EdgeState } from "../api/types";
import { LineageMark } from "./Node";
import { EDGE_STATES, LINEAGE_LABELS, STATES } from "./states";

interface Props {
  edges: readonly Edge[];
  hidden: readonly EdgeState[];
  onToggle: (state: EdgeState) => void;
}

/** What lines and marks mean, outside of the canvas; each state's entry hides its edges. */
export function Legend({ edges, hidden, onToggle }: Props) {
  const counts = new Map<EdgeState, number>();
  for (const { state } of edges) counts.set(state, (counts.get(state) ?? 0) + 1);
  return (
    <div className="ln-legend" role="group" aria-label="Legend">
      {EDGE_STATES.map((state) => (
        <button
          key={state}
          type="button"
          className={`ln-legend-entry ln-s-${state}`}
          aria-pressed={!hidden.includes(state)}
          title={`${STATES[state].meaning}. Press to ${hidden.includes(state) ? "show" : "hide"} these edges.`}
          onClick={() => {
            onToggle(state);
          }}
        >
          <svg width="52" height="18" aria-hidden="true">
            <g className={`ln-edge ln-s-${state}`}>
              <path d="M2 9H43" strokeDasharray={STATES[state].dash} />
              <path d="M43 5.5L50 9L43 12.5Z" className={`ln-arrow ln-arrow-${STATES[state].arrow}`} />
              {STATES[state].sign !== "" && (
                <g className="ln-sign">
                  <rect x="12" y="1" width="16" height="16" rx="8" />
                  <text x="20" y="13" textAnchor="middle">
                    {STATES[state].sign}
                  </text>
                </g>
              )}
            </g>
          </svg>
          {STATES[state].label} {counts.get(state) ?? 0}
        </button>
      ))}
      {(["known", "part", "unknown", "unobserved"] as const).map((known) => (
        <span key={known} className="ln-legend-note">
          <svg width="12" height="12" aria-hidden="true">
            <LineageMark known={known} x={6} y={6} />
          </svg>
          {LINEAGE_LABELS[known]}
        </span>
      ))}
    </div>
  );
}
