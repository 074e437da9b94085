import type { Job } from "../api/types";

export type SortKey = "started" | "name" | "kind" | "state" | "seconds" | "rows" | "tests" | "attempt";

export interface JobFilter {
  text: string;
  state: string;
  kind: string;
  sort: SortKey;
  descending: boolean;
}

export const isSortKey = (text: string): text is SortKey => Object.hasOwn(VALUES, text);

export const ALL_JOBS: JobFilter = { text: "", state: "", kind: "", sort: "started", descending: false };

const VALUES: Record<SortKey, (job: Job) => number | string | null> = {
  started: (job) => (job.started === null ? null : Date.parse(job.started)),
  name: (job) => titleOf(job).toLowerCase(),
  kind: (job) => job.kind,
  state: (job) => job.state,
  seconds: (job) => job.seconds,
  rows: (job) => job.rows,
  tests: (job) => job.tests.failed * 1e6 + job.tests.warned * 1e3 + job.tests.passed,
  attempt: (job) => job.attempt,
};

/** The jobs that match, in the chosen order; jobs without the value come last in either direction. */
export function arranged(jobs: readonly Job[], filter: JobFilter): Job[] {
  const text = filter.text.trim().toLowerCase();
  const value = VALUES[filter.sort];
  const matches = jobs.filter(
    (job) =>
      (!filter.state || job.state === filter.state) &&
      (!filter.kind || job.kind === filter.kind) &&
      (!text || [job.name, job.node_id, job.task_id, job.error].join("\n").toLowerCase().includes(text)),
  );
  return matches.sort(
    (left, right) => compare(value(left), value(right), filter.descending) || compareText(left.name, right.name),
  );
}

function compare(left: number | string | null, right: number | string | null, descending: boolean): number {
  if (left === null || right === null) return Number(left === null) - Number(right === null);
  const order =
    typeof left === "number" && typeof right === "number" ? left - right : compareText(String(left), String(right));
  return descending ? -order : order;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** How many jobs are in each state, the states in the order in which they matter. */
export function stateCounts(jobs: readonly Job[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const job of jobs) counts.set(job.state, (counts.get(job.state) ?? 0) + 1);
  const order = ["failed", "running", "skipped", "success"];
  const rank = (state: string) => (order.includes(state) ? order.indexOf(state) : order.length);
  return [...counts].sort(([left], [right]) => rank(left) - rank(right) || compareText(left, right));
}

export function kindsOf(jobs: readonly Job[]): string[] {
  return [...new Set(jobs.map((job) => job.kind))].sort();
}

/** The name of a job on the page of its run: a task's without its DAG. */
export function titleOf(job: Job): string {
  return job.kind === "task" && job.task_id !== null ? job.task_id : job.name;
}

/** The jobs with those of a task below the task, which has the depth 0; the order is kept otherwise. */
export function nested(jobs: readonly Job[]): { job: Job; depth: 0 | 1 }[] {
  const isTask = (job: Job) => job.kind === "task" && job.task_id !== null;
  const ofTask = new Map<string | null, Job[]>(jobs.filter(isTask).map((job) => [job.task_id, []]));
  for (const job of jobs) if (!isTask(job)) ofTask.get(job.task_id)?.push(job);
  return jobs.flatMap((job): { job: Job; depth: 0 | 1 }[] => {
    if (!isTask(job)) return ofTask.has(job.task_id) ? [] : [{ job, depth: 0 }];
    return [{ job, depth: 0 }, ...(ofTask.get(job.task_id) ?? []).map((child) => ({ job: child, depth: 1 as const }))];
  });
}
