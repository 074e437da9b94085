import { expect, test } from "vitest";
import type { ColumnEdge, Kind } from "../api/types";
import { dataset, RUN } from "../test/samples";
import { offlineSource } from "./source";

const edge = (source: string, target: string, kind: Kind): ColumnEdge => ({
  source: { dataset: source, column: "c" },
  target: { dataset: target, column: "c" },
  kind,
  state: "verified",
  expression: null,
});

const run = { dag: "report", run: "run" };
const source = offlineSource({
  graph: { run: RUN, complete: true, notes: [], lanes: [], datasets: ["a", "b", "c"].map(dataset), edges: [] },
  details: [],
  column_edges: [edge("a", "b", "identity"), edge("b", "c", "aggregation"), edge("c", "a", "identity"), edge("x", "a", "indirect")],
  jobs: [],
  findings: [],
});

test("a column's path goes both ways, ends in a circle, and leaves out filters of others", async () => {
  const { upstream, downstream } = await source.path(run, "b", "c");
  const ends = (edges: ColumnEdge[]) => edges.map((one) => `${one.source.dataset}>${one.target.dataset}`);
  expect(ends(upstream)).toEqual(["a>b", "c>a", "b>c"]);
  expect(ends(downstream)).toEqual(["b>c", "c>a", "a>b"]);
});

test("the filters of the column itself are part of its path", async () => {
  const { upstream } = await source.path(run, "a", "c");
  expect(upstream.some((one) => one.source.dataset === "x")).toBe(true);
});

test("datasets are found by a part of their name", async () => {
  expect((await source.search(run, "B", 5)).map((item) => item.dataset)).toEqual(["b"]);
});
