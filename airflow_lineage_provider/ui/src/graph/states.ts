import { EDGE_STATES, type ColumnKnown, type Dataset, type EdgeState } from "../api/types";

interface StateStyle {
  label: string;
  meaning: string;
  /** The dashes of the line: no two states share them. */
  dash: string;
  /** The sign in the middle of the edge, "" for none. */
  sign: string;
  arrow: "filled" | "open";
}

/** How each state of an edge is drawn: by dashes, arrow and sign, and not only by colour. */
export const STATES: Record<EdgeState, StateStyle> = {
  verified: { label: "Verified", meaning: "documented and observed", dash: "none", sign: "", arrow: "filled" },
  documented: { label: "Documented", meaning: "no run compared yet", dash: "2 3", sign: "", arrow: "open" },
  undeclared: { label: "Undeclared", meaning: "observed, not documented: drift", dash: "10 4", sign: "+", arrow: "filled" },
  missing: { label: "Missing", meaning: "documented, not observed: drift", dash: "4 5", sign: "\u00d7", arrow: "open" },
  through: { label: "Through", meaning: "satisfied through another path", dash: "12 3 2 3", sign: "\u2248", arrow: "open" },
  unobserved: { label: "Unobserved", meaning: "no observer in this run", dash: "6 6", sign: "?", arrow: "open" },
  saved: { label: "Saved answer", meaning: "verified by a saved answer only", dash: "16 4", sign: "S", arrow: "filled" },
  observed: { label: "Observed", meaning: "seen in a run, and no map says anything about it", dash: "8 2 2 2 2 2", sign: "", arrow: "filled" },
};

/** Drift first: the state that a bundle of edges shows. */
const WORST: EdgeState[] = ["missing", "undeclared", "unobserved", "documented", "saved", "observed", "through", "verified"];

export const isDrift = (state: EdgeState) => state === "missing" || state === "undeclared";

export function worst(a: EdgeState, b: EdgeState): EdgeState {
  return WORST.indexOf(a) <= WORST.indexOf(b) ? a : b;
}

export const LINEAGE_LABELS: Record<ColumnKnown, string> = {
  known: "column lineage known",
  part: "column lineage known in part",
  unknown: "column lineage unknown",
  unobserved: "documented, not observed in this run",
};

/** Whether something is wrong with a dataset: it failed, or a finding is more than a note. */
export const isBad = (dataset: Dataset | null) =>
  dataset !== null && (dataset.state === "failed" || (dataset.gravest ?? "info") !== "info");

export const RUN_STATES: Record<string, { sign: string; label: string }> = {
  ok: { sign: "\u2713", label: "succeeded" },
  failed: { sign: "\u2717", label: "failed" },
  running: { sign: "\u25b6", label: "running" },
  skipped: { sign: "\u2013", label: "skipped" },
  none: { sign: "", label: "not run" },
};

export { EDGE_STATES };
