import { plural, time } from "../common/format";
import { Name } from "../common/Name";
import { Scroll } from "../common/Scroll";
import type { DatasetDetail } from "../api/types";

type Check = DatasetDetail["checks"][number];

/** The results of quality checks, by column over time. */
export function Quality({ checks, column }: { checks: readonly Check[]; column: string | null }) {
  if (!checks.length) {
    return (
      <p className="ln-muted">
        No check of this dataset has run. Tests of dbt and expectations of Great Expectations appear here when they run.
      </p>
    );
  }
  const runs = [
    ...new Map(checks.flatMap((check) => check.results.map((result) => [result.run_id, result.at]))).entries(),
  ]
    .sort(([, left], [, right]) => left.localeCompare(right))
    .slice(-10);
  const rows = [...checks].sort(
    (left, right) =>
      Number(right.column === column) - Number(left.column === column) ||
      (left.column ?? "").localeCompare(right.column ?? "") ||
      left.name.localeCompare(right.name),
  );
  return (
    <Scroll label="Results of checks">
      <table className="ln-table ln-quality">
        <caption className="ln-caption">
          Results of the last {plural(runs.length, "run")} with checks, the newest at the right
        </caption>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">Results</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((check) => (
            <tr
              key={`${check.column ?? ""} ${check.name}`}
              className={check.column !== null && check.column === column ? "ln-selected" : undefined}
            >
              <td>
                {check.column === null ? <span className="ln-muted">whole dataset</span> : <Name text={check.column} />}
                <Name className="ln-muted ln-note" text={check.name} />
                <LastFailure check={check} />
              </td>
              <td className="ln-results">
                {runs.map(([run]) => (
                  <Result key={run} result={check.results.find((result) => result.run_id === run) ?? null} />
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Result({ result }: { result: Check["results"][number] | null }) {
  if (!result) return <span className="ln-result" aria-hidden="true" />;
  const text = `${result.passed ? "passed" : "failed"}, ${time(result.at)}`;
  return (
    <span
      role="img"
      aria-label={text}
      title={result.message ? `${text}: ${result.message}` : text}
      className={`ln-result ln-result-${result.passed ? "passed" : "failed"}`}
    >
      {result.passed ? "✓" : "✕"}
    </span>
  );
}

/** The newest of some results. */
export function newest(results: Check["results"]): Check["results"][number] | undefined {
  return [...results].sort((left, right) => left.at.localeCompare(right.at)).at(-1);
}

function LastFailure({ check }: { check: Check }) {
  const last = newest(check.results);
  if (!last || last.passed || !last.message) return null;
  return <p className="ln-error-text ln-break">{last.message}</p>;
}
