import { useMemo } from "react";
import type { ColumnEdge } from "../api/types";
import { ColumnEdges, EdgeShape, EdgeSign } from "./Edges";
import { edgeMeets, HEADINGS, meets, type Box } from "./geometry";
import { NODE_WIDTH, type Layout } from "./layout";
import type { Drawn, DrawnNode, Neighbours } from "./model";
import { NodeShape } from "./Node";
import { isBad } from "./states";

/** Lanes go on above and below what a canvas can show. */
const FAR_OUT = 20_000;

/** With more edges than this in sight, only those with an end in sight are drawn, and without signs. */
const DENSE = 300;

/** A node, or one of its columns ("" for the node itself). */
export interface Spot {
  node: string;
  column: string;
}

export interface DrawingProps {
  drawn: Drawn;
  layout: Layout;
  neighbours: Neighbours;
  /** What is drawn; null draws all. */
  box: Box | null;
  /** Whether the drawing is too small to read: then FarLayer has it, and here is what is marked only. */
  far: boolean;
  selected: Spot | null;
  /** What is under the pointer. */
  hovered: Spot | null;
  /** What Tab reaches. */
  active: Spot | null;
  columnEdges: readonly ColumnEdge[];
  /** Whether the lanes' headings are part of the drawing (of an exported one). */
  headings: boolean;
}

function boxOf(node: DrawnNode, layout: Layout): Box | null {
  const at = layout.nodes[node.id];
  return at ? { ...at, width: NODE_WIDTH, height: node.height } : null;
}

const rectangle = ({ x, y, width, height }: Box) => `M${Math.round(x)} ${Math.round(y)}h${width}v${height}h-${width}z`;

/** The paths of all boxes of a drawing: those with something wrong, and the others. */
export function overview(drawn: Drawn, layout: Layout): { nodes: string; bad: string } {
  const result = { nodes: "", bad: "" };
  for (const node of drawn.nodes) {
    const box = boxOf(node, layout);
    if (!box) continue;
    if (isBad(node.dataset)) result.bad += rectangle(box);
    else result.nodes += rectangle(box);
  }
  return result;
}

function Lanes({ drawn, layout, headings }: { drawn: Drawn; layout: Layout; headings: boolean }) {
  const labels = new Map(drawn.lanes.map((lane) => [lane.id, lane]));
  return (
    <g className="ln-lanes">
      {layout.lanes.map(({ id, x, width }, index) => (
        <g key={id}>
          <rect
            className={index % 2 === 0 ? "ln-lane" : "ln-lane ln-lane-odd"}
            x={x}
            y={-FAR_OUT}
            width={width}
            height={layout.height + 2 * FAR_OUT}
          />
          {headings && (
            <text className="ln-heading" x={x + width / 2} y={-HEADINGS / 2} textAnchor="middle">
              {labels.get(id)?.label ?? id}
            </text>
          )}
        </g>
      ))}
    </g>
  );
}

function hotNodes(spot: Spot | null, { up, down }: Neighbours): Set<string> | null {
  return spot && new Set([spot.node, ...(up.get(spot.node) ?? []), ...(down.get(spot.node) ?? [])]);
}

/** The drawing itself, in its own coordinates: without state, so that the page and an export show the same. */
export function Drawing(props: DrawingProps) {
  const { drawn, layout, neighbours, box, far, selected, hovered, active, columnEdges, headings } = props;
  const nodes = useMemo(() => new Map(drawn.nodes.map((node) => [node.id, node])), [drawn]);
  const spot = hovered ?? selected;
  const hot = columnEdges.length > 0 ? null : hotNodes(spot, neighbours);
  const touches = (edge: { source: string; target: string }) => spot !== null && (edge.source === spot.node || edge.target === spot.node);
  const special = new Set([selected?.node, active?.node, far ? hovered?.node : undefined]);
  const inBox = drawn.nodes.filter((node) => {
    if (special.has(node.id)) return true;
    const own = far ? null : boxOf(node, layout);
    return own !== null && (box === null || meets(own, box));
  });
  const near = drawn.edges.filter((edge) => (far ? touches(edge) : box === null || edgeMeets(layout, edge, box)));
  const dense = box !== null && near.length > DENSE;
  const shown = new Set(inBox.map(({ id }) => id));
  const edges = dense ? near.filter(({ source, target }) => shown.has(source) || shown.has(target)) : near;
  const label = (id: string) => nodes.get(id)?.label ?? id;
  return (
    <>
      {!far && <Lanes drawn={drawn} layout={layout} headings={headings} />}
      <g className={columnEdges.length > 0 ? "ln-edges ln-faint" : "ln-edges"}>
        {edges.map((edge) => (
          <EdgeShape
            key={edge.id}
            edge={edge}
            layout={layout}
            hot={hot !== null && touches(edge)}
            dim={hot !== null && !touches(edge)}
            plain={dense && !touches(edge)}
            ends={`${label(edge.source)} \u2192 ${label(edge.target)}`}
          />
        ))}
      </g>
      <g>
        {inBox.map((node) => {
          const at = layout.nodes[node.id];
          return at ? (
            <NodeShape
              key={node.id}
              node={node}
              at={at}
              up={neighbours.up.get(node.id)?.length ?? 0}
              down={neighbours.down.get(node.id)?.length ?? 0}
              selected={selected?.node === node.id}
              column={selected?.node === node.id ? selected.column : ""}
              tab={active?.node === node.id ? active.column : null}
              dim={hot !== null && !hot.has(node.id)}
            />
          ) : null;
        })}
      </g>
      <g className={columnEdges.length > 0 ? "ln-signs ln-faint" : "ln-signs"}>
        {edges.map((edge) =>
          dense && !touches(edge) ? null : (
            <EdgeSign key={edge.id} edge={edge} layout={layout} dim={hot !== null && !touches(edge)} />
          ),
        )}
      </g>
      <ColumnEdges edges={columnEdges} nodes={nodes} layout={layout} />
    </>
  );
}
