import type { ColumnEdge } from "../api/types";
import { NODE_HEIGHT, NODE_WIDTH, type Layout, type Point } from "./layout";
import { COLUMN_HEIGHT, edgeKey, type DrawnEdge, type DrawnNode } from "./model";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const HEADER_MIDDLE = NODE_HEIGHT / 2;
export const rowTop = (index: number) => NODE_HEIGHT + 2 + index * COLUMN_HEIGHT;

const round = (value: number) => Math.round(value * 10) / 10;

/** A curve through points that come in pairs (leaves at the right, arrives at the left). */
export function curve(points: readonly Point[]): string {
  let path = "";
  points.forEach(({ x, y }, index) => {
    const before = points[index - 1];
    if (!before) path = `M${round(x)} ${round(y)}`;
    else if (index % 2 === 0) path += `L${round(x)} ${round(y)}`;
    else {
      // An edge against the direction of reading goes out to the right and comes back in from the left.
      const bend = Math.max(Math.abs(x - before.x) / 2, x < before.x ? 90 : 30);
      path += `C${round(before.x + bend)} ${round(before.y)} ${round(x - bend)} ${round(y)} ${round(x)} ${round(y)}`;
    }
  });
  return path;
}

/** The path of an edge between two nodes' headers, or null where one is not laid out yet. */
export function edgePath(layout: Layout, edge: DrawnEdge): { d: string; middle: Point } | null {
  const points = edgePoints(layout, edge.source, edge.target, HEADER_MIDDLE, HEADER_MIDDLE);
  return points && { d: curve(points), middle: middleOf(points) };
}

function edgePoints(layout: Layout, source: string, target: string, out: number, into: number): Point[] | null {
  const from = layout.nodes[source];
  const to = layout.nodes[target];
  if (!from || !to) return null;
  const start = { x: from.x + NODE_WIDTH, y: from.y + out };
  // 7: the arrow's length.
  const end = { x: to.x - 7, y: to.y + into };
  return [start, ...(layout.routes[edgeKey(source, target)] ?? []), end];
}

/** The middle of the last curve: near to the target, where edges that leave one node have parted. */
function middleOf(points: readonly Point[]): Point {
  const [before, last] = points.slice(-2);
  return before && last ? { x: (before.x + last.x) / 2, y: (before.y + last.y) / 2 } : { x: 0, y: 0 };
}

/** The path of a column edge: from row to row, or to the header of a node that does not list the column. */
export function columnEdgePath(layout: Layout, nodes: ReadonlyMap<string, DrawnNode>, edge: ColumnEdge): string | null {
  const offset = ({ dataset, column }: ColumnEdge["source"]) => {
    const index = nodes.get(dataset)?.rows.findIndex((row) => row.name === column) ?? -1;
    return index < 0 ? HEADER_MIDDLE : rowTop(index) + COLUMN_HEIGHT / 2;
  };
  const points = edgePoints(layout, edge.source.dataset, edge.target.dataset, offset(edge.source), offset(edge.target));
  return points && curve(points);
}

export const meets = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Whether any part of an edge can lie in a box. */
export function edgeMeets(layout: Layout, edge: { source: string; target: string; id: string }, box: Box): boolean {
  const from = layout.nodes[edge.source];
  const to = layout.nodes[edge.target];
  if (!from || !to) return false;
  const points = [from, { x: to.x + NODE_WIDTH, y: to.y + NODE_HEIGHT }, to, ...(layout.routes[edge.id] ?? [])];
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const [x, y] = [Math.min(...xs) - 90, Math.min(...ys)];
  return meets({ x, y, width: Math.max(...xs) + 90 - x, height: Math.max(...ys) + NODE_HEIGHT - y }, box);
}

/** A canvas: its scale, and where the drawing's origin is. */
export interface Viewport {
  x: number;
  y: number;
  k: number;
}

export const MIN_SCALE = 0.02;
export const MAX_SCALE = 2.5;

/** Zoom by a factor around a point of the canvas. */
export function zoomed({ x, y, k }: Viewport, factor: number, at: Point): Viewport {
  const next = Math.min(MAX_SCALE, Math.max(MIN_SCALE, k * factor));
  return { x: at.x - ((at.x - x) / k) * next, y: at.y - ((at.y - y) / k) * next, k: next };
}

/** The room above the drawing for the lanes' headings. */
export const HEADINGS = 44;
const MARGIN = 24;

/** Names can be read from this scale on. */
export const READABLE = 0.62;
/** A drawing that fits at this scale is shown at a readable one from its left; a larger one as a whole. */
const NEARLY_FITS = 0.25;

/** The first view of a drawing: all of it, or where little is missing, its left at a readable scale. */
export function firstView(box: Box, canvas: { width: number; height: number }): Viewport {
  const whole = fitted(box, canvas);
  if (whole.k >= READABLE || whole.k < NEARLY_FITS) return whole;
  const k = READABLE;
  const fits = { x: box.width * k <= canvas.width - 2 * MARGIN, y: box.height * k <= canvas.height - HEADINGS - 2 * MARGIN };
  const middle = fitted({ ...box, width: 1, height: 1, x: box.x + box.width / 2, y: box.y + box.height / 2 }, canvas, k);
  return { k, x: fits.x ? middle.x : MARGIN - box.x * k, y: fits.y ? middle.y : HEADINGS + MARGIN - box.y * k };
}

/** Show a box in the middle of a canvas, no larger than life. */
export function fitted(box: Box, canvas: { width: number; height: number }, largest = 1): Viewport {
  const width = Math.max(1, canvas.width - 2 * MARGIN);
  const height = Math.max(1, canvas.height - HEADINGS - 2 * MARGIN);
  const k = Math.max(MIN_SCALE, Math.min(largest, width / Math.max(1, box.width), height / Math.max(1, box.height)));
  return {
    x: canvas.width / 2 - (box.x + box.width / 2) * k,
    y: HEADINGS + MARGIN + (height - box.height * k) / 2 - box.y * k,
    k,
  };
}

/** The part of the drawing that a canvas shows, and half a canvas around it. */
export function visibleBox({ x, y, k }: Viewport, canvas: { width: number; height: number }, margin = 0.5): Box {
  const [width, height] = [canvas.width / k, canvas.height / k];
  return { x: -x / k - width * margin, y: -y / k - height * margin, width: width * (1 + 2 * margin), height: height * (1 + 2 * margin) };
}
