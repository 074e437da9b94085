import type { Column, ColumnEdge, ColumnPath, Dataset, Edge, EdgeState, Graph, Lane } from "../api/types";
import { NODE_HEIGHT, type LayoutInput } from "./layout";
import { worst } from "./states";

/** What is drawn of a graph: after focus, hidden states, collapsed lanes and opened columns. */

export const COLUMN_HEIGHT = 22;
/** Columns of one dataset that are listed; the rest is in the side panel. */
export const MAX_ROWS = 60;

export interface DrawnNode {
  id: string;
  lane: string;
  label: string;
  /** The dataset, or null for a lane that is drawn as one node. */
  dataset: Dataset | null;
  /** How many datasets a collapsed lane stands for. */
  members: number;
  rows: Column[];
  /** Columns that are not listed. */
  more: number;
  height: number;
}

export interface DrawnEdge {
  id: string;
  source: string;
  target: string;
  state: EdgeState;
  claims: string[];
  /** How many edges between datasets this one stands for. */
  count: number;
}

export interface Drawn {
  lanes: Lane[];
  nodes: DrawnNode[];
  edges: DrawnEdge[];
}

export interface Shown {
  /** Datasets to draw, null for all. */
  only: ReadonlySet<string> | null;
  hidden: readonly EdgeState[];
  collapsed: readonly string[];
  /** Rows of the datasets whose columns are shown. */
  rows: ReadonlyMap<string, Column[]>;
}

const laneNode = (lane: string) => `lane\u0000${lane}`;
export const edgeKey = (source: string, target: string) => `${source}\u0000${target}`;

/** The datasets within so many hops of one: upstream and downstream. */
export function within(edges: readonly Edge[], start: string, up: number, down: number): Set<string> {
  const found = new Set([start]);
  const walk = (hops: number, from: (edge: Edge) => string, to: (edge: Edge) => string) => {
    const next = new Map<string, string[]>();
    for (const edge of edges) {
      const list = next.get(from(edge));
      if (list) list.push(to(edge));
      else next.set(from(edge), [to(edge)]);
    }
    const seen = new Set([start]);
    let border = [start];
    for (let hop = 0; hop < hops && border.length > 0; hop++) {
      border = border.flatMap((id) => next.get(id) ?? []).filter((id) => !seen.has(id) && seen.add(id));
      for (const id of border) found.add(id);
    }
  };
  walk(up, (edge) => edge.target, (edge) => edge.source);
  walk(down, (edge) => edge.source, (edge) => edge.target);
  return found;
}

/** All edges of a column's path, up and down. */
export const pathEdges = (path: ColumnPath): ColumnEdge[] => [...path.upstream, ...path.downstream];

/** The columns of a path by dataset, the asked one included. */
export function pathColumns(path: ColumnPath, dataset: string, column: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>([[dataset, new Set([column])]]);
  for (const edge of pathEdges(path))
    for (const end of [edge.source, edge.target]) {
      const set = found.get(end.dataset);
      if (set) set.add(end.column);
      else found.set(end.dataset, new Set([end.column]));
    }
  return found;
}

function drawnNode(dataset: Dataset, rows: Column[] | undefined): DrawnNode {
  const listed = rows?.slice(0, MAX_ROWS) ?? [];
  const more = (rows?.length ?? 0) - listed.length;
  const extra = listed.length + (more > 0 ? 1 : 0);
  return {
    id: dataset.id,
    lane: dataset.lane,
    label: dataset.label,
    dataset,
    members: 1,
    rows: listed,
    more,
    height: NODE_HEIGHT + (extra > 0 ? extra * COLUMN_HEIGHT + 6 : 0),
  };
}

/** The nodes and edges to draw. */
export function drawn(graph: Graph, shown: Shown): Drawn {
  const collapsed = new Set(shown.collapsed);
  const nodes = new Map<string, DrawnNode>();
  const nodeOf = new Map<string, string>();
  const lanes = [...graph.lanes].sort((a, b) => a.order - b.order);
  const labels = new Map(lanes.map((lane) => [lane.id, lane.label]));
  for (const dataset of graph.datasets) {
    if (shown.only && !shown.only.has(dataset.id)) continue;
    if (!collapsed.has(dataset.lane)) {
      nodes.set(dataset.id, drawnNode(dataset, shown.rows.get(dataset.id)));
      nodeOf.set(dataset.id, dataset.id);
      continue;
    }
    const id = laneNode(dataset.lane);
    nodeOf.set(dataset.id, id);
    const node = nodes.get(id);
    if (node) node.members += 1;
    else {
      const label = labels.get(dataset.lane) ?? dataset.lane;
      nodes.set(id, { id, lane: dataset.lane, label, dataset: null, members: 1, rows: [], more: 0, height: NODE_HEIGHT });
    }
  }
  return { lanes, nodes: [...nodes.values()], edges: drawnEdges(graph.edges, nodeOf, shown.hidden) };
}

function drawnEdges(edges: readonly Edge[], nodeOf: Map<string, string>, hidden: readonly EdgeState[]): DrawnEdge[] {
  const found = new Map<string, DrawnEdge>();
  for (const edge of edges) {
    const source = nodeOf.get(edge.source);
    const target = nodeOf.get(edge.target);
    if (source === undefined || target === undefined || source === target || hidden.includes(edge.state)) continue;
    const id = edgeKey(source, target);
    const known = found.get(id);
    if (!known) {
      found.set(id, { id, source, target, state: edge.state, claims: [...edge.claims], count: 1 });
      continue;
    }
    known.state = worst(known.state, edge.state);
    known.count += 1;
    for (const claim of edge.claims) if (!known.claims.includes(claim)) known.claims.push(claim);
  }
  return [...found.values()];
}

export function layoutInput({ lanes, nodes, edges }: Drawn): LayoutInput {
  return {
    lanes: lanes.map((lane) => lane.id),
    nodes: nodes.map(({ id, lane, height }) => ({ id, lane, height })),
    edges: edges.map(({ id, source, target }) => ({ id, source, target })),
  };
}

export interface Neighbours {
  up: Map<string, string[]>;
  down: Map<string, string[]>;
}

export function neighboursOf(edges: readonly DrawnEdge[]): Neighbours {
  const result: Neighbours = { up: new Map(), down: new Map() };
  for (const { source, target } of edges) {
    (result.up.get(target) ?? result.up.set(target, []).get(target))?.push(source);
    (result.down.get(source) ?? result.down.set(source, []).get(source))?.push(target);
  }
  return result;
}
