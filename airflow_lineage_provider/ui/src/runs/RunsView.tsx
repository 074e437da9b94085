import type { Job, RunSummary } from "../api/types";
import { Badge, toneOf } from "../common/Badge";
import { CopyButton } from "../common/CopyButton";
import { FilterForm } from "../common/FilterForm";
import { count, duration, plural, time } from "../common/format";
import { Name } from "../common/Name";
import { Scroll } from "../common/Scroll";
import { Select } from "../common/Select";
import { Gantt } from "./Gantt";
import { arranged, kindsOf, nested, stateCounts, titleOf, type JobFilter } from "./jobs";
import { JobTable, Tests } from "./JobTable";

export interface RunsViewProps {
  run: RunSummary;
  jobs: readonly Job[];
  /** The present, up to which jobs that run are drawn; milliseconds since 1970. */
  now: number;
  isLive: boolean;
  view: "gantt" | "table";
  onView: (view: "gantt" | "table") => void;
  filter: JobFilter;
  onFilter: (filter: JobFilter) => void;
  selected: string | null;
  onJob: (name: string | null) => void;
  onDataset: (dataset: string) => void;
}

/** The jobs of a run, dbt's nodes among them, as a Gantt chart or a table. */
export function RunsView(props: RunsViewProps) {
  const { run, jobs, now, isLive, view, filter, onFilter, selected, onJob, onDataset } = props;
  const shown = arranged(jobs, filter);
  const job = jobs.find((item) => item.name === selected);
  return (
    <div className="ln-split">
      <section className="ln-page" aria-label="Jobs of the run">
        <Controls {...props} />
        <div className="ln-badges">
        {stateCounts(jobs).map(([state, number]) => (
          <button
            key={state}
            type="button"
            className="ln-count"
            aria-pressed={filter.state === state}
            onClick={() => {
              onFilter({ ...filter, state: filter.state === state ? "" : state });
            }}
          >
            <Badge tone={toneOf(state)}>
              {number} {state}
            </Badge>
          </button>
        ))}
        <span role="status" className="ln-muted">
          {shown.length < jobs.length ? `${shown.length} of ${plural(jobs.length, "job")}` : plural(jobs.length, "job")}
          {isLive && ", live"}
        </span>
      </div>
      {jobs.length === 0 && <p className="ln-muted">{emptyText(run)}</p>}
        {jobs.length > 0 && shown.length === 0 && <p className="ln-muted">No job matches the filter.</p>}
        {shown.length > 0 && view === "gantt" && (
          <Gantt
            jobs={filter.sort === "started" ? nested(shown) : shown.map((item) => ({ job: item, depth: 0 }))}
            now={now}
            selected={selected}
            onJob={onJob}
          />
        )}
        {shown.length > 0 && view === "table" && (
          <JobTable jobs={shown} filter={filter} onFilter={onFilter} selected={selected} onJob={onJob} />
        )}
      </section>
      {job && (
        <JobDetail
          job={job}
          onDataset={onDataset}
          onClose={() => {
            onJob(null);
          }}
        />
      )}
    </div>
  );
}

function emptyText(run: RunSummary): string {
  return run.state === "running" || run.state === "queued"
    ? "No job has sent an event yet. Jobs appear here as they start."
    : "The event store has no event of a job.";
}

function Controls({ jobs, view, onView, filter, onFilter }: RunsViewProps) {
  const views = (
    <div role="group" aria-label="Show as" className="ln-switch">
      {(["gantt", "table"] as const).map((name) => (
        <button
          key={name}
          type="button"
          className="ln-button"
          aria-pressed={view === name}
          onClick={() => {
            onView(name);
          }}
        >
          {name === "gantt" ? "Gantt chart" : "Table"}
        </button>
      ))}
    </div>
  );
  return (
    <FilterForm
      before={views}
      text={filter.text}
      placeholder="model, task, error"
      onText={(text) => {
        onFilter({ ...filter, text });
      }}
    >
      <Select
        label="Kind"
        value={filter.kind}
        options={[["", "all"], ...kindsOf(jobs).map((kind) => [kind, kind] as const)]}
        onChange={(kind) => {
          onFilter({ ...filter, kind });
        }}
      />
    </FilterForm>
  );
}

interface DetailProps {
  job: Job;
  onDataset: (dataset: string) => void;
  onClose: () => void;
}

function JobDetail({ job, onDataset, onClose }: DetailProps) {
  return (
    <aside className="ln-side ln-job" aria-label={`Job ${titleOf(job)}`}>
      <div className="ln-panel-title">
        <h2>
          <Name text={titleOf(job)} />
        </h2>
        <button type="button" className="ln-button ln-close" aria-label="Close the job" onClick={onClose}>
          <span aria-hidden="true">✕</span>
        </button>
      </div>
      <dl className="ln-facts">
        <dt>State</dt>
        <dd>
          <Badge tone={toneOf(job.state)}>{job.state}</Badge>
          {job.attempt > 1 && <span className="ln-muted"> attempt {job.attempt}</span>}
        </dd>
        <dt>Started</dt>
        <dd>{time(job.started)}</dd>
        <dt>Duration</dt>
        <dd>{duration(job.seconds)}</dd>
        <dt>Rows</dt>
        <dd>{count(job.rows)}</dd>
        <dt>Tests</dt>
        <dd>
          <Tests tests={job.tests} />
        </dd>
        <dt>Kind</dt>
        <dd>
          <Name text={job.kind} />
        </dd>
        {job.task_id !== null && (
          <>
            <dt>Task</dt>
            <dd>
              <Name text={job.task_id} />
            </dd>
          </>
        )}
        {job.node_id !== null && (
          <>
            <dt>dbt node</dt>
            <dd>
              <Name text={job.node_id} />
            </dd>
          </>
        )}
        {job.outputs.length > 0 && (
          <>
            <dt>Wrote</dt>
            <dd>
              {job.outputs.map((output) => (
                <button
                  key={output}
                  type="button"
                  className="ln-link"
                  onClick={() => {
                    onDataset(output);
                  }}
                >
                  <Name text={output} />
                </button>
              ))}
            </dd>
          </>
        )}
      </dl>
      {job.error !== null && (
        <>
          <Scroll label="Error" className="ln-code ln-error-box">
            <pre>{job.error}</pre>
          </Scroll>
          <CopyButton text={job.error} label="Copy error" />
        </>
      )}
    </aside>
  );
}
