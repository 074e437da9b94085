import { fireEvent, render, screen, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { ColumnEdge } from "../api/types";
import { brokenRules } from "../test/axe";
import { detail, HOSTILE } from "../test/samples";
import { DatasetPanel, type DatasetPanelProps } from "./DatasetPanel";

const EDGE: ColumnEdge = {
  source: { dataset: "silver.orders", column: "amount" },
  target: { dataset: "gold.orders", column: "amount" },
  kind: "aggregation",
  state: "verified",
  expression: "SUM(o.amount)",
};

function show(change: Partial<DatasetPanelProps> = {}) {
  const props: DatasetPanelProps = {
    detail: detail("gold.orders"),
    edges: [EDGE],
    column: null,
    tab: "schema",
    onTab: vi.fn(),
    onColumn: vi.fn(),
    onDataset: vi.fn(),
    onRun: vi.fn(),
    onImpact: vi.fn(),
    onClose: vi.fn(),
    ...change,
  };
  const view = render(<DatasetPanel {...props} />);
  return { props, ...view };
}

const TABS = ["schema", "sql", "quality", "runs", "findings", "about"];

describe("DatasetPanel", () => {
  it.each(TABS)("breaks no accessibility rule on the tab %s", async (tab) => {
    const { container } = show({ tab, column: "amount" });
    expect(await brokenRules(container)).toEqual([]);
  });

  it("moves between tabs by the arrow keys", () => {
    const { props } = show();
    fireEvent.keyDown(screen.getByRole("tab", { name: "Schema" }), { key: "ArrowRight" });
    expect(props.onTab).toHaveBeenCalledWith("sql");
    fireEvent.keyDown(screen.getByRole("tab", { name: "Schema" }), { key: "End" });
    expect(props.onTab).toHaveBeenLastCalledWith("about");
  });

  it("shows a column's path at a click on it in the schema", () => {
    const { props } = show();
    fireEvent.click(screen.getByRole("button", { name: "customer_id" }));
    expect(props.onColumn).toHaveBeenCalledWith("customer_id");
  });

  it("shows types, their history and the sources of the chosen column", () => {
    show({ column: "amount" });
    expect(screen.getByText("1 change")).toBeTruthy();
    const sources = screen.getByRole("list", { name: "Columns that amount is made from" });
    expect(within(sources).getByTitle("silver.orders.amount")).toBeTruthy();
    expect(screen.queryByText(/documented:/)).toBeNull(); // decimal(18,2) is DECIMAL(18, 2)
  });

  it("marks the expression of the chosen column in the SQL, whose columns can be chosen", () => {
    const { props, container } = show({ tab: "sql", column: "amount" });
    expect(container.querySelector("mark")?.textContent).toBe("sum(o.amount) as amount");
    fireEvent.click(screen.getByRole("button", { name: "customer_id" }));
    expect(props.onColumn).toHaveBeenCalledWith("customer_id");
  });

  it("has the newest result of a check at the right, and its message", () => {
    show({ tab: "quality" });
    const results = screen.getAllByRole("img").map((result) => result.getAttribute("aria-label")?.split(",")[0]);
    expect(results).toEqual(["passed", "failed"]);
    expect(screen.getByText("3 rows are null")).toBeTruthy();
  });

  it("draws rows and durations of the runs, one without rows too", () => {
    show({ tab: "runs" });
    expect(
      screen.getByRole("img", { name: "Duration of the last 2 runs: 2.5 s to 1 min 15 s, last 2.5 s" }),
    ).toBeTruthy();
    expect(screen.getByRole("img", { name: "Rows of the last 2 runs: 1,234 to 1,234, last 1,234" })).toBeTruthy();
  });

  it("shows owners, lateness, claims, and links that are safe", () => {
    show({ tab: "about" });
    expect(screen.getByText("late")).toBeTruthy();
    expect(screen.getByText("dbt, pipeline.yaml:12")).toBeTruthy();
    expect(screen.getAllByRole("link").map((link) => link.getAttribute("href"))).toEqual([
      "https://marquez.example.com/x",
    ]);
  });

  it.each(HOSTILE)("shows the name %j as text", (name) => {
    for (const tab of TABS) {
      const { container, unmount } = show({ detail: detail(name, [name, "other"]), column: name, tab });
      expect(container.querySelector("h2")?.textContent).toBe(name);
      expect(container.querySelector("img")).toBeNull();
      unmount();
    }
  });
});
