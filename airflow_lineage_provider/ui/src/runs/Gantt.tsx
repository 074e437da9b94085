import type { Job } from "../api/types";
import { Badge, toneOf } from "../common/Badge";
import { duration, time } from "../common/format";
import { Name } from "../common/Name";
import { titleOf } from "./jobs";
import { elapsed, rangeOf, spanOf, ticksOf, type Range } from "./timeline";

interface Props {
  /** With the depth of each: jobs of a task stand below it. */
  jobs: readonly { job: Job; depth: 0 | 1 }[];
  /** The present, up to which jobs that run are drawn; milliseconds since 1970. */
  now: number;
  selected: string | null;
  onJob: (name: string | null) => void;
}

const percent = (fraction: number) => `${(fraction * 100).toFixed(3)}%`;

/** When each job ran, on one time axis. */
export function Gantt({ jobs, now, selected, onJob }: Props) {
  const range = rangeOf(
    jobs.map(({ job }) => job),
    now,
  );
  if (!range) return <p className="ln-muted">No job has started yet.</p>;
  return (
    <div className="ln-gantt">
      <Axis range={range} />
      <ol className="ln-gantt-rows" aria-label="Jobs in time">
        {jobs.map(({ job, depth }) => (
          <li key={job.name}>
            <button
              type="button"
              className="ln-gantt-row"
              aria-expanded={job.name === selected}
              onClick={() => {
                onJob(job.name === selected ? null : job.name);
              }}
            >
              <span className={depth === 1 ? "ln-gantt-label ln-gantt-child" : "ln-gantt-label"}>
                <Badge tone={toneOf(job.state)}>
                  <span className="ln-sr">{job.state}</span>
                </Badge>
                <Name text={titleOf(job)} />
              </span>
              <span className="ln-gantt-track">
                <GanttBar job={job} range={range} now={now} />
              </span>
              <span className="ln-number ln-gantt-time">{duration(elapsed(job, now))}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Axis({ range }: { range: Range }) {
  const size = (range.end - range.start) / 1000;
  return (
    <div className="ln-gantt-axis" aria-hidden="true">
      <span className="ln-gantt-label ln-muted">from {time(new Date(range.start).toISOString())}</span>
      <span className="ln-gantt-track">
        {ticksOf(range).map((tick) => (
          <span key={tick} className="ln-tick" style={{ insetInlineStart: percent(tick / size) }}>
            {tick === 0 ? "0" : duration(tick)}
          </span>
        ))}
      </span>
      <span className="ln-gantt-time" />
    </div>
  );
}

function GanttBar({ job, range, now }: { job: Job; range: Range; now: number }) {
  const span = spanOf(job, range, now);
  if (!span) return <span className="ln-muted ln-gantt-waiting">not started</span>;
  return (
    <span
      className={`ln-gantt-bar ln-state-${toneOf(job.state)}`}
      style={{ insetInlineStart: percent(span.left), inlineSize: percent(span.width) }}
    />
  );
}
