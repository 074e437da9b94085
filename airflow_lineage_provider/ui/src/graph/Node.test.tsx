import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Column, Severity } from "../api/types";
import { dataset, HOSTILE } from "../test/samples";
import { NODE_HEIGHT } from "./layout";
import type { DrawnNode } from "./model";
import { NodeShape } from "./Node";

const ROW: Column = {
  name: "amount",
  type: "DECIMAL(18, 2)",
  documented_type: null,
  description: null,
  lineage: "unobserved",
  findings: 1,
  gravest: "info",
};

function show(label: string, gravest: Severity = "error") {
  const node: DrawnNode = {
    id: label,
    lane: "gold",
    label,
    dataset: { ...dataset(label), findings: 2, gravest, description: "What it holds" },
    members: 1,
    rows: [{ ...ROW, name: label }],
    more: 0,
    height: NODE_HEIGHT,
  };
  return render(
    <svg>
      <NodeShape node={node} at={{ x: 0, y: 0 }} up={1} down={2} selected={false} column="" tab="" dim={false} />
    </svg>,
  );
}

describe("a node", () => {
  it.each(["gold.orders", ...HOSTILE])("has a label that begins with its name, and no other text: %s", (name) => {
    show(name);
    for (const button of screen.getAllByRole("button")) expect(button.querySelector("text")).toBeNull();
    const labels = screen.getAllByRole("button").map((button) => button.getAttribute("aria-label") ?? "");
    expect(labels.filter((label) => label.startsWith(`${name}, `))).toHaveLength(2);
  });

  it.each(["error", "warning", "info"] as const)("marks its findings by the gravest: %s", (gravest) => {
    const { container } = show("gold.orders", gravest);
    const badge = container.querySelector(".ln-node-badge");
    expect(badge?.classList.contains(`ln-node-badge-${gravest}`)).toBe(true);
    expect(badge?.textContent).toBe(gravest === "info" ? "i 2" : "! 2");
  });

  it("says of a column that the run's table lacks", () => {
    show("gold.orders");
    expect(screen.getByRole("button", { name: /documented, not observed in this run/ })).toBeDefined();
  });
});
