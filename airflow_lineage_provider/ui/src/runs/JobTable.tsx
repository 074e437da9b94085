import type { Job } from "../api/types";
import { Badge, toneOf } from "../common/Badge";
import { count, duration } from "../common/format";
import { Name } from "../common/Name";
import { Scroll } from "../common/Scroll";
import { titleOf, type JobFilter, type SortKey } from "./jobs";

interface Props {
  jobs: readonly Job[];
  filter: JobFilter;
  onFilter: (filter: JobFilter) => void;
  selected: string | null;
  onJob: (name: string | null) => void;
}

const COLUMNS: readonly [SortKey, string, boolean][] = [
  ["state", "State", false],
  ["name", "Job", false],
  ["kind", "Kind", false],
  ["seconds", "Time", true],
  ["rows", "Rows", true],
  ["tests", "Tests", false],
  ["attempt", "Attempt", true],
];

/** The jobs in a table that is sorted by a click on a heading. */
export function JobTable({ jobs, filter, onFilter, selected, onJob }: Props) {
  const sortBy = (key: SortKey) => {
    onFilter({ ...filter, sort: key, descending: filter.sort === key ? !filter.descending : false });
  };
  return (
    <Scroll label="Table of jobs">
      <table className="ln-table ln-jobs">
        <caption className="ln-sr">Jobs of the run</caption>
        <thead>
          <tr>
            {COLUMNS.map(([key, label, isNumber]) => (
              <th
                key={key}
                scope="col"
                className={isNumber ? "ln-number" : undefined}
                aria-sort={filter.sort === key ? (filter.descending ? "descending" : "ascending") : undefined}
              >
                <button
                  type="button"
                  className="ln-link ln-sort"
                  onClick={() => {
                    sortBy(key);
                  }}
                >
                  {label}
                  <span aria-hidden="true">{filter.sort === key ? (filter.descending ? " ↓" : " ↑") : ""}</span>
                </button>
              </th>
            ))}
            <th scope="col">Error</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.name} className={job.name === selected ? "ln-selected" : undefined}>
              <td>
                <Badge tone={toneOf(job.state)}>{job.state}</Badge>
              </td>
              <td>
                <button
                  type="button"
                  className="ln-link"
                  aria-expanded={job.name === selected}
                  onClick={() => {
                    onJob(job.name === selected ? null : job.name);
                  }}
                >
                  <Name text={titleOf(job)} />
                </button>
              </td>
              <td>
                <Name className="ln-muted" text={job.kind} />
              </td>
              <td className="ln-number">{duration(job.seconds)}</td>
              <td className="ln-number">{count(job.rows)}</td>
              <td>
                <Tests tests={job.tests} />
              </td>
              <td className="ln-number">{job.attempt}</td>
              <td>{job.error !== null && <Name className="ln-error-text" text={job.error} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Numbers of tests by result, those that are zero left out. */
export function Tests({ tests }: { tests: Job["tests"] }) {
  if (!tests.passed && !tests.failed && !tests.warned) return <span className="ln-muted">–</span>;
  return (
    <span className="ln-badges">
      {tests.failed > 0 && <Badge tone="error">{tests.failed} failed</Badge>}
      {tests.warned > 0 && <Badge tone="warning">{tests.warned} warned</Badge>}
      {tests.passed > 0 && <Badge tone="ok">{tests.passed} passed</Badge>}
    </span>
  );
}
