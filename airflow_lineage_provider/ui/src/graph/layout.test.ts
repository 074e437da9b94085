import { expect, test } from "vitest";
import { layout, NODE_HEIGHT, NODE_WIDTH, ROW_GAP, type LayoutInput } from "./layout";
import { crossings } from "./order";
import { settle } from "./place";

function graph(lanes: Record<string, string[]>, edges: string[]): LayoutInput {
  return {
    lanes: Object.keys(lanes),
    nodes: Object.entries(lanes).flatMap(([lane, ids]) => ids.map((id) => ({ id, lane, height: NODE_HEIGHT }))),
    edges: edges.map((edge) => {
      const [source = "", target = ""] = edge.split(">");
      return { id: edge, source, target };
    }),
  };
}

function overlaps(input: LayoutInput): string[] {
  const { nodes } = layout(input);
  const found: string[] = [];
  for (const a of input.nodes)
    for (const b of input.nodes) {
      const [p, q] = [nodes[a.id], nodes[b.id]];
      if (!p || !q || a.id >= b.id) continue;
      if (Math.abs(p.x - q.x) < NODE_WIDTH && p.y < q.y + b.height && q.y < p.y + a.height) found.push(`${a.id} ${b.id}`);
    }
  return found;
}

test("lanes stand left to right in their order, and edges inside of a lane run left to right", () => {
  const { nodes, lanes } = layout(graph({ crm: ["a"], silver: ["b", "c"], gold: ["d"] }, ["a>b", "b>c", "c>d"]));
  const x = ["a", "b", "c", "d"].map((id) => nodes[id]?.x ?? NaN);
  expect(x).toEqual([...x].sort((p, q) => p - q));
  expect(new Set(x).size).toBe(4);
  expect(lanes.map((lane) => lane.id)).toEqual(["crm", "silver", "gold"]);
});

test("a lane without nodes takes no room, a node of an unknown lane is drawn", () => {
  const input = graph({ empty: [], gold: ["a"] }, []);
  input.nodes.push({ id: "b", lane: "elsewhere", height: NODE_HEIGHT });
  const { lanes, nodes } = layout(input);
  expect(lanes.map((lane) => lane.id)).toEqual(["gold", "elsewhere"]);
  expect(nodes.a?.x).toBe(0);
  expect(nodes.b?.x).toBeGreaterThan(0);
});

test("circles, loops and edges against the lanes' order end, without overlap", () => {
  const input = graph({ silver: ["a", "b", "c"], gold: ["d"] }, ["a>b", "b>c", "c>a", "d>a", "a>a", "c>d"]);
  expect(overlaps(input)).toEqual([]);
  expect(Object.keys(layout(input).nodes)).toHaveLength(4);
});

test("an edge that passes a lane goes between its nodes", () => {
  const input = graph({ l: ["a"], m: ["b", "c", "d"], r: ["e"] }, ["a>b", "a>c", "a>d", "b>e", "d>e", "a>e"]);
  const { nodes, routes } = layout(input);
  const [pass] = routes["a>e"] ?? [];
  for (const id of ["b", "c", "d"]) {
    const top = nodes[id]?.y ?? NaN;
    expect((pass?.y ?? NaN) < top || (pass?.y ?? NaN) > top + NODE_HEIGHT).toBe(true);
  }
});

test("nodes are ordered so that edges do not cross where they need not", () => {
  const { nodes } = layout(graph({ l: ["a", "b"], r: ["c", "d"] }, ["a>d", "b>c"]));
  expect((nodes.a?.y ?? 0) < (nodes.b?.y ?? 0)).toBe((nodes.d?.y ?? 0) < (nodes.c?.y ?? 0));
});

test("a straight chain is drawn straight", () => {
  const { nodes } = layout(graph({ l: ["a"], m: ["b"], r: ["c"] }, ["a>b", "b>c"]));
  expect(new Set(Object.values(nodes).map((point) => point.y))).toEqual(new Set([0]));
});

test("2,000 nodes of four lanes do not overlap and do not become a strip", () => {
  const lanes: Record<string, string[]> = {};
  const edges: string[] = [];
  for (let lane = 0; lane < 4; lane++) {
    lanes[`l${lane}`] = Array.from({ length: 500 }, (_, index) => `${lane}.${index}`);
    if (lane > 0) for (let index = 0; index < 500; index++) edges.push(`${lane - 1}.${(index * 7) % 500}>${lane}.${index}`);
  }
  const input = graph(lanes, edges);
  expect(overlaps(input)).toEqual([]);
  const { width, height } = layout(input);
  expect(height / width).toBeLessThan(1);
});

test("crossings of a complete pair of ranks", () => {
  const items = (keys: string[]) => keys.map((key) => ({ key, height: 1 }));
  const all = ["a", "b"].flatMap((source) => ["x", "y"].map((target) => ({ source, target })));
  expect(crossings([items(["a", "b"]), items(["x", "y"])], all)).toBe(1);
});

test("items settle next to what is wanted, in their order", () => {
  const items = [10, 10, 10].map((height, index) => ({ key: String(index), height }));
  expect(settle(items, [0, 100, 200], 5)).toEqual([0, 100, 200]);
  const tight = settle(items, [50, 50, 50], 5);
  expect(tight.map((y, index) => y - (tight[index - 1] ?? y - 15))).toEqual([15, 15, 15]);
  expect((tight[1] ?? 0)).toBeCloseTo(50);
});

test("heights differ and rows keep their gap", () => {
  const input = graph({ l: ["a"], r: ["b", "c"] }, ["a>b", "a>c"]);
  for (const node of input.nodes) if (node.id === "b") node.height = 400;
  const { nodes } = layout(input);
  expect(Math.abs((nodes.b?.y ?? 0) - (nodes.c?.y ?? 0))).toBeGreaterThanOrEqual(Math.min(400, NODE_HEIGHT) + ROW_GAP);
  expect(overlaps(input)).toEqual([]);
});
