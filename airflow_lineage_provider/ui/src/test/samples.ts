import type { Dataset, DatasetDetail, Finding, Job, RunSummary } from "../api/types";

/** Names as outside systems may give them. */
export const HOSTILE = [
  `<img src=x onerror="window.hacked=1">`,
  `"quotes' and \`ticks\` & &amp;`,
  "שם עברי \u202Eright to left\u202C",
  "🦆🧪 emoji 👩‍👩‍👧",
  "x".repeat(500),
];

export const RUN: RunSummary = {
  run_id: "manual__2026-11-26",
  state: "success",
  started: "2026-11-26T02:00:00Z",
  ended: "2026-11-26T02:01:00Z",
  outcome: "DRIFT",
  errors: 1,
  warnings: 1,
};

export const dataset = (id: string): Dataset => ({
  id,
  label: id,
  lane: "gold",
  system: "duckdb",
  layer: "gold",
  kind: "table",
  columns: 2,
  column_lineage: "part",
  state: "ok",
  findings: 1,
  gravest: "error",
  description: null,
  owners: [],
  tags: [],
});

export const finding = (change: Partial<Finding> = {}): Finding => ({
  code: "column-missing",
  severity: "error",
  subject: "gold.orders.amount",
  message: "The map documents the column, and no run wrote it.",
  documented: "amount DECIMAL",
  observed: null,
  dataset: "gold.orders",
  column: "amount",
  source: { file: "pipeline.yaml", line: 12 },
  accept:
    "accepted:\n  - finding: column-missing\n    subject: gold.orders.amount\n    reason: why\n    until: 2026-12-31\n",
  ...change,
});

export const job = (change: Partial<Job> = {}): Job => ({
  name: "gold.orders",
  node_id: "model.project.orders",
  task_id: "transform_gold",
  kind: "model",
  state: "ok",
  started: "2026-11-26T02:00:10Z",
  seconds: 2,
  rows: 1234,
  error: null,
  attempt: 1,
  tests: { passed: 2, failed: 0, warned: 0 },
  outputs: ["gold.orders"],
  ...change,
});

const column = (name: string) => ({
  name,
  type: "DECIMAL(18, 2)",
  documented_type: "decimal(18,2)",
  description: null,
  lineage: "known" as const,
  findings: 0,
  gravest: null,
});

export const detail = (id: string, columns: readonly string[] = ["amount", "customer_id"]): DatasetDetail => ({
  dataset: dataset(id),
  namespace: "duckdb:///warehouse.duckdb",
  name: id,
  columns: columns.map(column),
  type_history: [
    {
      column: columns[0] ?? "",
      changes: [
        { at: "2026-11-01T00:00:00Z", type: "INTEGER" },
        { at: "2026-11-20T00:00:00Z", type: "DECIMAL(18, 2)" },
      ],
    },
  ],
  sql: { text: "select customer_id, sum(o.amount) as amount from orders o group by 1", dialect: "duckdb" },
  checks: [
    {
      column: columns[0] ?? null,
      name: "not_null",
      results: [
        { at: "2026-11-26T02:00:00Z", run_id: "b", passed: false, message: "3 rows are null" },
        { at: "2026-11-25T02:00:00Z", run_id: "a", passed: true, message: null },
      ],
    },
  ],
  runs: [
    { run_id: "b", at: "2026-11-26T02:00:00Z", rows: 1234, seconds: 2.5, state: "ok" },
    { run_id: "a", at: "2026-11-25T02:00:00Z", rows: null, seconds: 75, state: "failed" },
  ],
  freshness: { sla: "< 5 minute latency", last: "2026-11-26T02:00:00Z", late: true },
  documentation: "One row an order.",
  owners: ["Data Platform Team"],
  findings: [finding()],
  edges: [{ source: "silver.orders", target: id, state: "verified", claims: ["dbt", "pipeline.yaml:12"], columns: 2 }],
  links: [
    { label: "Marquez", url: "https://marquez.example.com/x" },
    { label: "Bad", url: "javascript:alert(1)" },
  ],
});
