import { orderRanks } from "./order";
import { placeRanks } from "./place";
import type { Item, Segment } from "./ranks";

/** A left-to-right layered layout. Lanes are known, so that only the ranks inside of a lane have to be found. */

export interface LayoutNode {
  id: string;
  lane: string;
  height: number;
}

export interface LayoutEdge {
  id: string;
  source: string;
  target: string;
}

export interface LayoutInput {
  /** In the order in which lanes are drawn; a lane without nodes takes no room. */
  lanes: string[];
  nodes: LayoutNode[];
  edges: LayoutEdge[];
}

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  /** The upper left corner of each node. */
  nodes: Record<string, Point>;
  /** The points between its ends that an edge passes (left side of a gap in a rank, and right side). */
  routes: Record<string, Point[]>;
  lanes: { id: string; x: number; width: number }[];
  width: number;
  height: number;
}

export const NODE_WIDTH = 224;
export const NODE_HEIGHT = 48;
/** The widest sign of an edge fits between two ranks, beside the arrow. */
export const RANK_GAP = 84;
export const ROW_GAP = 18;
/** The height that an edge takes where it passes a rank. */
const PASS_HEIGHT = 6;
/** A rank of more nodes is broken into several, so that the drawing does not become a strip. */
const RANK_ROWS = 48;
/** Edges that pass more ranks than this, in all, are drawn straight behind the nodes. */
const MAX_PASSES = 3000;

/** The longest way to each node inside of its lane; an edge that closes a circle does not count. */
function ranksInLane(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Map<string, number> {
  const inLane = new Set(nodes.map((node) => node.id));
  const sources = new Map<string, string[]>();
  for (const { source, target } of edges) {
    if (source === target || !inLane.has(source) || !inLane.has(target)) continue;
    const list = sources.get(target);
    if (list) list.push(source);
    else sources.set(target, [source]);
  }
  const ranks = new Map<string, number>();
  const open = new Set<string>();
  for (const { id } of nodes) {
    const stack = [id];
    while (stack.length > 0) {
      const at = stack[stack.length - 1] ?? id;
      const before = (sources.get(at) ?? []).filter((source) => !open.has(source));
      const waiting = ranks.has(at) ? [] : before.filter((source) => !ranks.has(source));
      if (waiting.length > 0) {
        open.add(at);
        stack.push(waiting[0] ?? id);
        continue;
      }
      if (!ranks.has(at)) ranks.set(at, Math.max(-1, ...before.map((source) => ranks.get(source) ?? -1)) + 1);
      open.delete(at);
      stack.pop();
    }
  }
  return ranks;
}

/** The ranks of a lane, long ones broken. */
function lanesRanks(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): LayoutNode[][] {
  const ranks = ranksInLane(nodes, edges);
  const byRank: LayoutNode[][] = [];
  for (const node of nodes) (byRank[ranks.get(node.id) ?? 0] ??= []).push(node);
  return byRank.flatMap((rank) => {
    const parts = Math.ceil(rank.length / RANK_ROWS);
    const size = Math.ceil(rank.length / parts);
    return Array.from({ length: parts }, (_, part) => rank.slice(part * size, (part + 1) * size));
  });
}

interface Ranks {
  ranks: Item[][];
  rankOf: Map<string, number>;
  lanes: { id: string; first: number; count: number }[];
}

function rankAll({ lanes, nodes, edges }: LayoutInput): Ranks {
  const byLane = new Map<string, LayoutNode[]>(lanes.map((lane) => [lane, []]));
  for (const node of nodes) {
    const list = byLane.get(node.lane);
    if (list) list.push(node);
    else byLane.set(node.lane, [node]);
  }
  const result: Ranks = { ranks: [], rankOf: new Map(), lanes: [] };
  for (const [id, members] of byLane) {
    if (members.length === 0) continue;
    const ranks = lanesRanks(members, edges);
    result.lanes.push({ id, first: result.ranks.length, count: ranks.length });
    for (const rank of ranks) {
      for (const node of rank) result.rankOf.set(node.id, result.ranks.length);
      result.ranks.push(rank.map((node) => ({ key: node.id, height: node.height })));
    }
  }
  return result;
}

const passKey = (edge: string, rank: number) => `${rank}\u0000${edge}`;

/** Add a pass to each rank that an edge crosses, and return the segments between neighbouring ranks. */
function addPasses({ ranks, rankOf }: Ranks, edges: readonly LayoutEdge[]): { segments: Segment[]; passed: boolean } {
  const span = ({ source, target }: LayoutEdge) => (rankOf.get(target) ?? 0) - (rankOf.get(source) ?? 0);
  const passes = edges.reduce((sum, edge) => sum + Math.max(0, span(edge) - 1), 0);
  const passed = passes <= MAX_PASSES;
  const segments: Segment[] = [];
  for (const edge of edges) {
    const first = rankOf.get(edge.source);
    const last = rankOf.get(edge.target);
    if (first === undefined || last === undefined || last <= first) continue;
    let before = edge.source;
    for (let rank = first + 1; passed && rank < last; rank++) {
      const key = passKey(edge.id, rank);
      ranks[rank]?.push({ key, height: PASS_HEIGHT });
      segments.push({ source: before, target: key });
      before = key;
    }
    segments.push({ source: before, target: edge.target });
  }
  return { segments, passed };
}

/** Lay a graph out. Pure, and the same for the same input. */
export function layout(input: LayoutInput): Layout {
  const ranked = rankAll(input);
  const { rankOf } = ranked;
  const { segments, passed } = addPasses(ranked, input.edges);
  const ranks = orderRanks(ranked.ranks, segments);
  const y = placeRanks(ranks, segments, ROW_GAP);
  const xOf = (rank: number) => rank * (NODE_WIDTH + RANK_GAP);

  const nodes: Record<string, Point> = {};
  for (const { id } of input.nodes) nodes[id] = { x: xOf(rankOf.get(id) ?? 0), y: y.get(id) ?? 0 };
  const routes: Record<string, Point[]> = {};
  for (const { id, source, target } of input.edges) {
    const points: Point[] = [];
    for (let rank = (rankOf.get(source) ?? 0) + 1; passed && rank < (rankOf.get(target) ?? 0); rank++) {
      const middle = (y.get(passKey(id, rank)) ?? 0) + PASS_HEIGHT / 2;
      points.push({ x: xOf(rank), y: middle }, { x: xOf(rank) + NODE_WIDTH, y: middle });
    }
    routes[id] = points;
  }
  return {
    nodes,
    routes,
    lanes: ranked.lanes.map(({ id, first, count }) => ({
      id,
      x: xOf(first) - RANK_GAP / 2,
      width: count * (NODE_WIDTH + RANK_GAP),
    })),
    width: Math.max(0, xOf(ranks.length) - RANK_GAP),
    height: input.nodes.reduce((bottom, node) => Math.max(bottom, (y.get(node.id) ?? 0) + node.height), 0),
  };
}
