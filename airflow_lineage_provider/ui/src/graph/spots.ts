import type { Spot } from "./Drawing";
import { rowTop } from "./geometry";
import { NODE_WIDTH, type Layout, type Point } from "./layout";
import { COLUMN_HEIGHT, type Drawn, type Neighbours } from "./model";

/** Moving among nodes and columns by keys, and finding them by a point. */

export const sameSpot = (a: Spot | null, b: Spot | null) => a?.node === b?.node && a?.column === b?.column;

/** The node or column at a point of the drawing. */
export function spotAt(drawn: Drawn, layout: Layout, { x, y }: Point): Spot | null {
  for (const node of drawn.nodes) {
    const at = layout.nodes[node.id];
    if (!at || x < at.x || x > at.x + NODE_WIDTH || y < at.y || y > at.y + node.height) continue;
    const index = Math.floor((y - at.y - rowTop(0)) / COLUMN_HEIGHT);
    return { node: node.id, column: node.rows[index]?.name ?? "" };
  }
  return null;
}

/** The middle of a node's head, or of one of its columns. */
export function middleOfSpot(drawn: Drawn, layout: Layout, spot: Spot): Point | null {
  const at = layout.nodes[spot.node];
  if (!at) return null;
  const rows = drawn.nodes.find((node) => node.id === spot.node)?.rows ?? [];
  const index = rows.findIndex((row) => row.name === spot.column);
  return { x: at.x + NODE_WIDTH / 2, y: at.y + (index < 0 ? 24 : rowTop(index) + COLUMN_HEIGHT / 2) };
}

/** The nodes and columns of one rank, from top to bottom. */
function rankOf(drawn: Drawn, layout: Layout, node: string): Spot[] {
  const x = layout.nodes[node]?.x;
  return drawn.nodes
    .filter(({ id }) => layout.nodes[id]?.x === x)
    .sort((a, b) => (layout.nodes[a.id]?.y ?? 0) - (layout.nodes[b.id]?.y ?? 0))
    .flatMap(({ id, rows }) => [{ node: id, column: "" }, ...rows.map((row) => ({ node: id, column: row.name }))]);
}

/** Where an arrow key leads: along an edge to the nearest neighbour, or up and down in the rank. */
export function move(drawn: Drawn, layout: Layout, { up, down }: Neighbours, from: Spot, key: string): Spot | null {
  if (key === "ArrowUp" || key === "ArrowDown") {
    const rank = rankOf(drawn, layout, from.node);
    const index = rank.findIndex((spot) => sameSpot(spot, from));
    return rank[index + (key === "ArrowUp" ? -1 : 1)] ?? null;
  }
  const others = (key === "ArrowLeft" ? up : down).get(from.node) ?? [];
  const y = layout.nodes[from.node]?.y ?? 0;
  const distance = (id: string) => Math.abs((layout.nodes[id]?.y ?? 0) - y);
  const [nearest] = [...others].sort((a, b) => distance(a) - distance(b));
  return nearest === undefined ? null : { node: nearest, column: "" };
}

/** The first node of the drawing: at the left, at the top. */
export function firstSpot(drawn: Drawn, layout: Layout): Spot | null {
  let best: { id: string; at: Point } | null = null;
  for (const { id } of drawn.nodes) {
    const at = layout.nodes[id];
    if (at && (!best || at.x < best.at.x || (at.x === best.at.x && at.y < best.at.y))) best = { id, at };
  }
  return best && { node: best.id, column: "" };
}
