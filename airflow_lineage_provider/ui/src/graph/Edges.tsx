import { memo } from "react";
import type { ColumnEdge, EdgeState } from "../api/types";
import { columnEdgePath, edgePath } from "./geometry";
import type { Layout, Point } from "./layout";
import type { DrawnEdge, DrawnNode } from "./model";
import { EDGE_STATES, isDrift, STATES } from "./states";

/** The arrows of the edges, one for each state. */
export function Markers() {
  return (
    <defs>
      {EDGE_STATES.map((state) => (
        <marker
          key={state}
          id={`ln-arrow-${state}`}
          viewBox="0 0 8 8"
          markerWidth="8"
          markerHeight="8"
          refX="1"
          refY="4"
          orient="auto"
          markerUnits="userSpaceOnUse"
        >
          <path d="M1 .5L7.5 4L1 7.5Z" className={`ln-arrow ln-arrow-${STATES[state].arrow} ln-s-${state}`} />
        </marker>
      ))}
    </defs>
  );
}

/** What an edge's state is, as a sign in its middle; drawn above the nodes, so that none hides a drift. */
export function EdgeSign({ edge, layout, dim }: { edge: DrawnEdge; layout: Layout; dim: boolean }) {
  const path = STATES[edge.state].sign === "" ? null : edgePath(layout, edge);
  return path && <Sign state={edge.state} at={path.middle} dim={dim} />;
}

function Sign({ state, at, dim }: { state: EdgeState; at: Point; dim: boolean }) {
  const { sign, label } = STATES[state];
  const text = isDrift(state) ? `${sign} ${label.toLowerCase()}` : sign;
  const width = isDrift(state) ? 78 : 18;
  return (
    <g className={`ln-sign ln-s-${state}${dim ? " ln-dim" : ""}`} transform={`translate(${at.x - width / 2} ${at.y - 9})`}>
      <rect width={width} height="18" rx="9" />
      <text x={width / 2} y="13" textAnchor="middle">
        {text}
      </text>
    </g>
  );
}

interface EdgeProps {
  edge: DrawnEdge;
  layout: Layout;
  hot: boolean;
  dim: boolean;
  /** Whether it is one of too many to have a tooltip. */
  plain: boolean;
  /** The names of both ends, for the tooltip. */
  ends: string;
}

export const EdgeShape = memo(function EdgeShape({ edge, layout, hot, dim, plain, ends }: EdgeProps) {
  const path = edgePath(layout, edge);
  if (!path) return null;
  const { state, claims, count } = edge;
  if (plain) return <path d={path.d} className={`ln-edge-plain ln-s-${state}`} strokeDasharray={STATES[state].dash} />;
  const className = ["ln-edge", `ln-s-${state}`, hot && "ln-hot", dim && "ln-dim"].filter(Boolean).join(" ");
  const title = `${ends}\n${STATES[state].label}: ${STATES[state].meaning}${count > 1 ? ` (${count} edges)` : ""}`;
  return (
    <g className={className} data-state={state}>
      <path d={path.d} strokeDasharray={STATES[state].dash} markerEnd={`url(#ln-arrow-${state})`} />
      <path d={path.d} className="ln-edge-hit">
        <title>{claims.length > 0 ? `${title}\nClaimed by ${claims.join(", ")}` : title}</title>
      </path>
    </g>
  );
});

interface ColumnEdgesProps {
  edges: readonly ColumnEdge[];
  nodes: ReadonlyMap<string, DrawnNode>;
  layout: Layout;
}

/** Edges between columns: indirect ones (a join or a filter) are thin. */
export function ColumnEdges({ edges, nodes, layout }: ColumnEdgesProps) {
  return (
    <g className="ln-column-edges">
      {edges.map((edge) => {
        const { source, target, kind, state, expression } = edge;
        const key = JSON.stringify([source.dataset, source.column, target.dataset, target.column, kind]);
        const path = columnEdgePath(layout, nodes, edge);
        if (path === null) return null;
        return (
          <g key={key} className={`ln-column-edge ln-k-${kind} ln-s-${state}`} data-state={state}>
            <path d={path} strokeDasharray={STATES[state].dash} markerEnd={`url(#ln-arrow-${state})`} />
            <path d={path} className="ln-edge-hit">
              <title>
                {`${source.dataset} ${source.column} \u2192 ${target.dataset} ${target.column}\n${kind}, ${STATES[state].label.toLowerCase()}${expression === null ? "" : `\n${expression}`}`}
              </title>
            </path>
          </g>
        );
      })}
    </g>
  );
}
