import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { DagSummary } from "../api/types";
import { brokenRules } from "../test/axe";
import { HOSTILE, RUN } from "../test/samples";
import { HomeView, HomeWidgetView } from "./HomeView";

const dag = (change: Partial<DagSummary> = {}): DagSummary => ({
  dag_id: "pipeline",
  map: "Data Lineage Maps",
  last_run: RUN,
  drift: 0,
  map_is_stale: false,
  outbox: { waiting: 0, trouble: null },
  ...change,
});
const href = (id: string) => `#dag=${encodeURIComponent(id)}`;
const TROUBLED = [
  dag({ dag_id: "fine" }),
  dag({ dag_id: "drifted", drift: 2 }),
  dag({ dag_id: "stale", map_is_stale: true }),
  dag({ dag_id: "stuck", outbox: { waiting: 40, trouble: "Marquez answers 500" } }),
];

describe("HomeWidgetView", () => {
  it("names the DAGs that need someone, and why", () => {
    render(<HomeWidgetView dags={TROUBLED} href={href} />);
    expect(screen.getAllByRole("link").map((link) => link.textContent)).toEqual([
      "drifted",
      "✕2 findings",
      "stale",
      "stuck",
    ]);
    expect(screen.getByText("2 findings")).toBeTruthy();
    expect(screen.getByText("stale map")).toBeTruthy();
    expect(screen.getByText("40 events not forwarded").title).toBe("Marquez answers 500");
  });

  it("says in a line that all is well", () => {
    render(<HomeWidgetView dags={[dag()]} href={href} />);
    expect(screen.getByText("1 DAG: no drift")).toBeTruthy();
  });
});

describe("HomeView", () => {
  it("breaks no accessibility rule, and lists every DAG", async () => {
    const { container } = render(<HomeView dags={TROUBLED} href={href} />);
    expect(await brokenRules(container)).toEqual([]);
    expect(screen.getAllByRole("rowheader").map((cell) => cell.textContent)).toEqual([
      "fine",
      "drifted",
      "stale",
      "stuck",
    ]);
  });

  it.each(HOSTILE)("shows the DAG %j as text", (name) => {
    const { container } = render(<HomeView dags={[dag({ dag_id: name, map: name })]} href={href} />);
    expect(container.querySelector("a bdi")?.textContent).toBe(name);
    expect(container.querySelector("img")).toBeNull();
  });
});
