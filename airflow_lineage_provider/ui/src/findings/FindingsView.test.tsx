import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { brokenRules } from "../test/axe";
import { finding, HOSTILE, RUN } from "../test/samples";
import { acceptSnippet } from "./accept";
import { filterFindings, FindingsView, NO_FILTER, type FindingsViewProps } from "./FindingsView";

const FINDINGS = [
  finding(),
  finding({
    code: "edge-unexpected",
    severity: "warning",
    subject: "gold.orders <- raw.x",
    column: null,
    source: null,
  }),
];

function show(change: Partial<FindingsViewProps> = {}) {
  const props: FindingsViewProps = {
    findings: FINDINGS,
    runs: [RUN, { ...RUN, run_id: "older", outcome: "PASS", errors: 0, warnings: 0 }],
    run: RUN,
    filter: NO_FILTER,
    onFilter: vi.fn(),
    onDataset: vi.fn(),
    onRun: vi.fn(),
    onFailedJobs: vi.fn(),
    ...change,
  };
  return { props, ...render(<FindingsView {...props} />) };
}

describe("FindingsView", () => {
  it("breaks no accessibility rule", async () => {
    const { container } = show();
    expect(await brokenRules(container)).toEqual([]);
  });

  it("shows both sides and the line of the map, and leads to the column", () => {
    const { props } = show();
    expect(screen.getAllByText("amount DECIMAL")).toHaveLength(2);
    expect(screen.getByText("pipeline.yaml:12")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Show path of the column" }));
    expect(props.onDataset).toHaveBeenCalledWith("gold.orders", "amount");
  });

  it("has the newest run at the right of the strip, and moves by arrow keys", () => {
    const { props } = show();
    const runs = screen.getAllByRole("button", { name: /2026-11-26|older/ });
    expect(runs.map((run) => run.getAttribute("aria-label")?.split(",")[0])).toEqual(["older", RUN.run_id]);
    runs[1]?.focus();
    fireEvent.keyDown(screen.getByRole("button", { name: /manual__/ }), { key: "ArrowLeft" });
    expect(document.activeElement).toBe(runs[0]);
    fireEvent.click(screen.getByRole("button", { name: /^older/ }));
    expect(props.onRun).toHaveBeenCalledWith("older");
  });

  it("says why there is no finding", () => {
    show({ findings: [], run: { ...RUN, outcome: null } });
    expect(screen.getByText(/has not been compared with a map/)).toBeTruthy();
  });

  it("leads to the jobs that failed if the run failed before it was compared", () => {
    const { props } = show({ findings: [], run: { ...RUN, outcome: null, state: "failed" } });
    fireEvent.click(screen.getByRole("button", { name: "Show the jobs that failed" }));
    expect(props.onFailedJobs).toHaveBeenCalledOnce();
  });

  it.each(HOSTILE)("shows the subject %j as text", (name) => {
    const { container } = show({ findings: [finding({ subject: name, message: name, documented: name })] });
    expect(container.querySelector(".ln-subject")?.textContent).toBe(name);
    expect(container.querySelector("img")).toBeNull();
  });
});

describe("filterFindings", () => {
  it.each([
    [{ ...NO_FILTER, severity: "warning" }, ["edge-unexpected"]],
    [{ ...NO_FILTER, code: "column-missing" }, ["column-missing"]],
    [{ ...NO_FILTER, text: " RAW.X " }, ["edge-unexpected"]],
    [{ ...NO_FILTER, text: "yaml:12", severity: "warning" }, []],
  ])("filters by %j", (filter, codes) => {
    expect(filterFindings(FINDINGS, filter).map((one) => one.code)).toEqual(codes);
  });
});

describe("acceptSnippet", () => {
  it("writes a reason as text, whatever it holds", () => {
    const yaml = acceptSnippet(finding().accept, 'a: "b" # $& \n- c', "2027-01-31");
    expect(yaml).toContain('    reason: "a: \\"b\\" # $& \\n- c"\n    until: 2027-01-31\n');
  });
});
