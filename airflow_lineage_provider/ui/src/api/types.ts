/** The types of the REST API `/lineage/api/v1`. */

export const EDGE_STATES = ["verified", "documented", "undeclared", "missing", "through", "unobserved", "saved", "observed"] as const;
export type EdgeState = (typeof EDGE_STATES)[number];
export type Kind = "identity" | "transformation" | "aggregation" | "indirect" | "unknown";
export type Known = "known" | "part" | "unknown";
/** Unobserved: documented, and the run's table has no such column. */
export type ColumnKnown = Known | "unobserved";
export type Severity = "error" | "warning" | "info";

export interface Page<T> {
  items: T[];
  total: number;
}

export interface RunSummary {
  run_id: string;
  state: string;
  started: string | null;
  ended: string | null;
  outcome: "PASS" | "WARN" | "DRIFT" | null;
  errors: number;
  warnings: number;
}

export interface DagSummary {
  dag_id: string;
  map: string | null;
  last_run: RunSummary | null;
  drift: number;
  map_is_stale: boolean;
  outbox: { waiting: number; trouble: string | null };
}

export interface Lane {
  id: string;
  label: string;
  kind: "system" | "layer";
  order: number;
}

export interface Dataset {
  id: string;
  label: string;
  lane: string;
  system: string;
  layer: string | null;
  /** table, view, topic, file, dashboard, feature_view, model ... */
  kind: string;
  columns: number;
  column_lineage: Known;
  state: "ok" | "failed" | "running" | "skipped" | "none";
  findings: number;
  /** The severity of the gravest finding. */
  gravest: Severity | null;
  description: string | null;
  owners: string[];
  tags: string[];
}

export interface Edge {
  source: string;
  target: string;
  state: EdgeState;
  /** Who claims the edge: producers (dbt, dms, tableau) and lines of the map. */
  claims: string[];
  columns: number;
}

export interface Graph {
  run: RunSummary;
  complete: boolean;
  notes: string[];
  lanes: Lane[];
  datasets: Dataset[];
  edges: Edge[];
}

export interface Column {
  name: string;
  type: string | null;
  documented_type: string | null;
  description: string | null;
  lineage: ColumnKnown;
  findings: number;
  gravest: Severity | null;
}

export interface Columns {
  dataset: string;
  items: Column[];
}

export interface ColumnRef {
  dataset: string;
  column: string;
}

export interface ColumnEdge {
  source: ColumnRef;
  target: ColumnRef;
  kind: Kind;
  state: EdgeState;
  expression: string | null;
}

export interface ColumnsAnswer {
  columns: Columns;
  edges: ColumnEdge[];
}

export interface ColumnPath {
  upstream: ColumnEdge[];
  downstream: ColumnEdge[];
  truncated: boolean;
}

export interface Finding {
  code: string;
  severity: Severity;
  subject: string;
  message: string;
  documented: string | null;
  observed: string | null;
  dataset: string | null;
  column: string | null;
  source: { file: string; line: number } | null;
  /** The YAML snippet that accepts the finding. */
  accept: string;
}

export interface CheckResult {
  at: string;
  run_id: string;
  passed: boolean;
  message: string | null;
}

export interface DatasetDetail {
  dataset: Dataset;
  namespace: string;
  name: string;
  columns: Column[];
  type_history: { column: string; changes: { at: string; type: string | null }[] }[];
  sql: { text: string; dialect: string } | null;
  checks: { column: string | null; name: string; results: CheckResult[] }[];
  runs: { run_id: string; at: string; rows: number | null; seconds: number | null; state: string }[];
  freshness: { sla: string | null; last: string | null; late: boolean | null };
  documentation: string | null;
  owners: string[];
  findings: Finding[];
  edges: Edge[];
  links: { label: string; url: string }[];
}

export interface Job {
  name: string;
  node_id: string | null;
  task_id: string | null;
  kind: string;
  state: string;
  started: string | null;
  seconds: number | null;
  rows: number | null;
  error: string | null;
  attempt: number;
  tests: { passed: number; failed: number; warned: number };
  outputs: string[];
}

export interface ImpactItem {
  dataset: string;
  column: string | null;
  depth: number;
  kind: string;
  via: string;
  owners: string[];
  consumer: boolean;
}

export interface ImpactAnswer {
  change: string;
  items: ImpactItem[];
  counts: Record<string, number>;
  markdown: string;
}

export type Change = "removed" | "renamed" | "retyped";

export interface SearchItem {
  dataset: string;
  column: string | null;
  label: string;
}
