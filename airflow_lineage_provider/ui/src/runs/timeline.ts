import type { Job } from "../api/types";

/** A job's place on the time axis, in fractions of the shown time. */
export interface Span {
  left: number;
  width: number;
}

/** The shown time, in milliseconds since 1970. */
export interface Range {
  start: number;
  end: number;
}

/** The time from the first start to the last end; jobs that run go on until `now`. Null if no job has started. */
export function rangeOf(jobs: readonly Job[], now: number): Range | null {
  let start = Infinity;
  let end = -Infinity;
  for (const job of jobs) {
    const times = timesOf(job, now);
    if (!times) continue;
    start = Math.min(start, times.start);
    end = Math.max(end, times.end);
  }
  return start === Infinity ? null : { start, end: Math.max(end, start + 1) };
}

export function spanOf(job: Job, range: Range, now: number): Span | null {
  const times = timesOf(job, now);
  if (!times) return null;
  const size = range.end - range.start;
  return { left: (times.start - range.start) / size, width: (times.end - times.start) / size };
}

/** How long a job took, or has been running; in seconds. */
export function elapsed(job: Job, now: number): number | null {
  const times = timesOf(job, now);
  return job.state === "running" && times ? (times.end - times.start) / 1000 : job.seconds;
}

function timesOf(job: Job, now: number): Range | null {
  if (job.started === null) return null;
  const start = Date.parse(job.started);
  if (Number.isNaN(start)) return null;
  const isRunning = job.seconds === null && job.state === "running";
  return { start, end: isRunning ? Math.max(now, start) : start + (job.seconds ?? 0) * 1000 };
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

/** Seconds since the start at which the axis has a line: at most six, at round times. */
export function ticksOf(range: Range): number[] {
  const seconds = (range.end - range.start) / 1000;
  const step = STEPS.find((size) => seconds / size <= 6) ?? Math.ceil(seconds / 6 / 86400) * 86400;
  const ticks: number[] = [];
  for (let at = 0; at <= seconds; at = Number((at + step).toFixed(1))) ticks.push(at);
  return ticks;
}
