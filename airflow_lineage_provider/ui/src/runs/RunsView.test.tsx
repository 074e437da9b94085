import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { brokenRules } from "../test/axe";
import { HOSTILE, job, RUN } from "../test/samples";
import { ALL_JOBS, arranged, nested, titleOf } from "./jobs";
import { RunsView, type RunsViewProps } from "./RunsView";
import { rangeOf, spanOf, ticksOf } from "./timeline";

const NOW = Date.parse("2026-11-26T02:00:20Z");
const JOBS = [
  job(),
  job({ name: "silver.orders", started: "2026-11-26T02:00:00Z", seconds: 10, rows: null }),
  job({ name: "gold.late", state: "running", started: "2026-11-26T02:00:15Z", seconds: null }),
  job({
    name: "gold.broken",
    state: "failed",
    error: "Conversion Error: x",
    attempt: 2,
    tests: { passed: 0, failed: 1, warned: 0 },
  }),
  job({ name: "gold.waiting", state: "none", started: null, seconds: null }),
];

function show(change: Partial<RunsViewProps> = {}) {
  const props: RunsViewProps = {
    run: RUN,
    jobs: JOBS,
    now: NOW,
    isLive: true,
    view: "gantt",
    onView: vi.fn(),
    filter: ALL_JOBS,
    onFilter: vi.fn(),
    selected: null,
    onJob: vi.fn(),
    onDataset: vi.fn(),
    ...change,
  };
  return { props, ...render(<RunsView {...props} />) };
}

describe("RunsView", () => {
  it.each(["gantt", "table"] as const)("breaks no accessibility rule as %s", async (view) => {
    const { container } = show({ view, selected: "gold.broken" });
    expect(await brokenRules(container)).toEqual([]);
  });

  it("draws the jobs in the order in which they started, those that wait last", () => {
    show();
    const names = screen
      .getAllByRole("button", { name: /(gold|silver)\./ })
      .map((row) => row.querySelector("bdi")?.textContent);
    expect(names).toEqual(["silver.orders", "gold.broken", "gold.orders", "gold.late", "gold.waiting"]);
    expect(screen.getByText("not started")).toBeTruthy();
  });

  it("shows the error, the attempt and the dataset of a job", () => {
    const { props } = show({ selected: "gold.broken" });
    expect(screen.getByText("Conversion Error: x")).toBeTruthy();
    expect(screen.getByText(/attempt 2/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "gold.orders" }));
    expect(props.onDataset).toHaveBeenCalledWith("gold.orders");
  });

  it("filters by a state at a click on its number, and shows all at another", () => {
    const { props, unmount } = show();
    fireEvent.click(screen.getByRole("button", { name: "1 failed" }));
    expect(props.onFilter).toHaveBeenCalledWith({ ...ALL_JOBS, state: "failed" });
    unmount();
    const second = show({ filter: { ...ALL_JOBS, state: "failed" } });
    fireEvent.click(screen.getByRole("button", { name: "1 failed" }));
    expect(second.props.onFilter).toHaveBeenCalledWith(ALL_JOBS);
  });

  it("sorts the table by a heading, and the other way by a second click", () => {
    const { props } = show({ view: "table", filter: { ...ALL_JOBS, sort: "seconds" } });
    fireEvent.click(screen.getByRole("button", { name: "Time" }));
    expect(props.onFilter).toHaveBeenCalledWith({ ...ALL_JOBS, sort: "seconds", descending: true });
  });

  it("says what an empty page waits for", () => {
    show({ jobs: [], run: { ...RUN, state: "running" } });
    expect(screen.getByText(/Jobs appear here as they start/)).toBeTruthy();
  });

  it.each(HOSTILE)("shows the job %j as text", (name) => {
    const { container } = show({ jobs: [job({ name, error: name })], selected: name });
    expect(container.querySelector("h2")?.textContent).toBe(name);
    expect(container.querySelector("img")).toBeNull();
  });
});

describe("arranged", () => {
  it("has jobs without a value last in either direction", () => {
    const sorted = (descending: boolean) =>
      arranged(JOBS, { ...ALL_JOBS, sort: "seconds", descending }).map((one) => one.seconds);
    expect(sorted(false)).toEqual([2, 2, 10, null, null]);
    expect(sorted(true)).toEqual([10, 2, 2, null, null]);
  });

  it("finds a job by its error", () => {
    expect(arranged(JOBS, { ...ALL_JOBS, text: "conversion" }).map((one) => one.name)).toEqual(["gold.broken"]);
  });
});

describe("nested", () => {
  it("has the jobs of a task below it, and those without one where they stand", () => {
    const task = (name: string) => job({ name: `dag.${name}`, kind: "task", task_id: name });
    const jobs = [
      task("a"),
      task("b"),
      job({ name: "m1", task_id: "a" }),
      job({ name: "m2", task_id: "gone" }),
      job({ name: "m3", task_id: "b" }),
    ];
    expect(nested(jobs).map(({ job: one, depth }) => `${depth} ${titleOf(one)}`)).toEqual([
      "0 a",
      "1 m1",
      "0 b",
      "1 m3",
      "0 m2",
    ]);
  });
});

describe("timeline", () => {
  it("goes on until now for a job that runs", () => {
    const range = rangeOf(JOBS, NOW);
    expect(range && range.end - range.start).toBe(20_000);
    expect(range && spanOf(JOBS[2] ?? job(), range, NOW)).toEqual({ left: 0.75, width: 0.25 });
  });

  it.each([0.3, 1, 59, 3600, 86_400 * 30])("has at most seven ticks at round times over %d s", (seconds) => {
    const ticks = ticksOf({ start: 0, end: seconds * 1000 });
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThanOrEqual(7);
  });
});
