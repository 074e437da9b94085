import { Badge, toneOf } from "../common/Badge";
import { count, duration, time } from "../common/format";
import { Name } from "../common/Name";
import { Scroll } from "../common/Scroll";
import type { DatasetDetail } from "../api/types";
import { Bars } from "./Bars";

interface Props {
  runs: DatasetDetail["runs"];
  onRun: (runId: string) => void;
}

/** The runs that wrote a dataset: rows and durations as charts, and each run in a table, newest first. */
export function RunHistory({ runs, onRun }: Props) {
  if (!runs.length) return <p className="ln-muted">No run in the event store has written this dataset.</p>;
  const oldest = [...runs].sort((left, right) => left.at.localeCompare(right.at));
  const bars = (value: (run: (typeof runs)[number]) => number | null) =>
    oldest.map((run) => ({ key: `${run.run_id} ${run.at}`, at: run.at, value: value(run), state: run.state }));
  return (
    <>
      <Bars title="Rows" unit="rows" bars={bars((run) => run.rows)} />
      <Bars title="Duration" unit="seconds" bars={bars((run) => run.seconds)} />
      <Scroll label="Runs that wrote the dataset">
        <table className="ln-table ln-history">
          <caption className="ln-sr">Runs that wrote the dataset</caption>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">State</th>
              <th scope="col" className="ln-number">
                Rows
              </th>
              <th scope="col" className="ln-number">
                Time
              </th>
            </tr>
          </thead>
          <tbody>
            {oldest.reverse().map((run) => (
              <tr key={`${run.run_id} ${run.at}`}>
                <td>
                  <button
                    type="button"
                    className="ln-link"
                    title={run.run_id}
                    onClick={() => {
                      onRun(run.run_id);
                    }}
                  >
                    <Name text={time(run.at)} />
                  </button>
                </td>
                <td>
                  <Badge tone={toneOf(run.state)}>{run.state}</Badge>
                </td>
                <td className="ln-number">{count(run.rows)}</td>
                <td className="ln-number">{duration(run.seconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
