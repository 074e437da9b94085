import { useState } from "react";
import type { Graph } from "../api/types";
import { useNavigate } from "../shell/view";
import { STATES } from "./states";

const STEP = 200;

/** The graph as a table, for whom a drawing says nothing. */
export function EdgeList({ graph, only }: { graph: Graph; only: ReadonlySet<string> | null }) {
  const navigate = useNavigate();
  const [limit, setLimit] = useState(STEP);
  const labels = new Map(graph.datasets.map((dataset) => [dataset.id, dataset.label]));
  const edges = graph.edges.filter(({ source, target }) => !only || (only.has(source) && only.has(target)));
  const end = (id: string) => (
    <button
      type="button"
      className="ln-link"
      onClick={() => {
        navigate({ dataset: id, column: null });
      }}
    >
      {labels.get(id) ?? id}
    </button>
  );
  return (
    <div className="ln-edge-list">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">State</th>
            <th scope="col">Columns</th>
            <th scope="col">Claimed by</th>
          </tr>
        </thead>
        <tbody>
          {edges.slice(0, limit).map(({ source, target, state, columns, claims }) => (
            <tr key={`${source}\u0000${target}`}>
              <td>{end(source)}</td>
              <td>{end(target)}</td>
              <td className={`ln-s-${state} ln-state-text`} title={STATES[state].meaning}>
                {STATES[state].sign} {STATES[state].label}
              </td>
              <td>{columns}</td>
              <td>{claims.join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {edges.length > limit && (
        <button
          type="button"
          className="ln-button"
          onClick={() => {
            setLimit(limit + STEP);
          }}
        >
          Show more ({edges.length - limit} left)
        </button>
      )}
    </div>
  );
}
