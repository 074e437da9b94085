import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import type { ImpactAnswer } from "../api/types";
import { brokenRules } from "../test/axe";
import { HOSTILE } from "../test/samples";
import { ImpactView } from "./ImpactView";
import { impactTrees, ownersOf, type ImpactItem } from "./tree";

const item = (dataset: string, depth: number, via: string, change: Partial<ImpactItem> = {}): ImpactItem => ({
  dataset,
  column: "amount",
  depth,
  kind: "table",
  via,
  owners: ["Finance"],
  consumer: false,
  ...change,
});

const ITEMS = [
  item("silver.orders", 1, "raw.orders.amount"),
  item("gold.orders", 2, "silver.orders.amount"),
  item("revenue", 3, "gold.orders.amount", {
    column: null,
    kind: "dashboard",
    consumer: true,
    owners: ["Finance", "BI"],
  }),
];
const ANSWER: ImpactAnswer = {
  change: "raw.orders.amount is removed",
  items: ITEMS,
  counts: { table: 2, dashboard: 1 },
  markdown: "# x",
};

describe("ImpactView", () => {
  it("breaks no accessibility rule", async () => {
    const { container } = render(<ImpactView answer={ANSWER} onDataset={vi.fn()} />);
    expect(await brokenRules(container)).toEqual([]);
  });

  it("shows the way of a change as a tree whose branches close", () => {
    const onDataset = vi.fn();
    render(<ImpactView answer={ANSWER} onDataset={onDataset} />);
    fireEvent.click(screen.getByRole("button", { name: "revenue" }));
    expect(onDataset).toHaveBeenCalledWith("revenue", null);
    fireEvent.click(screen.getByRole("button", { name: "What silver.orders.amount is passed on to" }));
    expect(screen.queryByRole("button", { name: "revenue" })).toBeNull();
  });

  it("counts consumers and owners", () => {
    render(<ImpactView answer={ANSWER} onDataset={vi.fn()} />);
    expect(screen.getByText("1 consumer")).toBeTruthy();
    expect(ownersOf(ITEMS)).toEqual([
      ["Finance", 3],
      ["BI", 1],
    ]);
  });

  it("says that nothing is reached", () => {
    render(<ImpactView answer={{ ...ANSWER, items: [], counts: {} }} onDataset={vi.fn()} />);
    expect(screen.getByText(/the change reaches no dataset/)).toBeTruthy();
  });

  it.each(HOSTILE)("shows the dataset %j as text", (name) => {
    const answer = { ...ANSWER, change: name, items: [item(name, 1, "x", { column: null, owners: [name] })] };
    const { container } = render(<ImpactView answer={answer} onDataset={vi.fn()} />);
    expect(container.querySelector("h2")?.textContent).toBe(name);
    expect(container.querySelector("img")).toBeNull();
  });
});

describe("impactTrees", () => {
  it("keeps items whose parent is not known or not nearer", () => {
    const items = [item("a", 1, "?"), item("b", 1, "a.amount"), item("c", 2, "gone")];
    expect(impactTrees(items).map((node) => node.id)).toEqual(["a.amount", "b.amount", "c.amount"]);
  });
});
