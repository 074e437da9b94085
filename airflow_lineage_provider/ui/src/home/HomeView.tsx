import type { DagSummary } from "../api/types";
import { Badge } from "../common/Badge";
import { plural, time } from "../common/format";
import { Name } from "../common/Name";
import { Scroll } from "../common/Scroll";

interface Props {
  dags: readonly DagSummary[];
  /** The URL of a DAG's lineage. */
  href: (dagId: string, tab?: "findings") => string;
}

/** What needs someone: drift, stale maps, and events that are not forwarded. */
export function trouble(dag: DagSummary): boolean {
  return dag.drift > 0 || dag.map_is_stale || dag.outbox.trouble !== null;
}

/** The DAGs that need someone, for Airflow's dashboard; a line if none does. */
export function HomeWidgetView({ dags, href }: Props) {
  const troubled = dags.filter(trouble).sort((left, right) => right.drift - left.drift);
  const waiting = Math.max(0, ...dags.map((dag) => dag.outbox.waiting));
  return (
    <section className="ln-widget" aria-labelledby="ln-widget-title">
      <h2 id="ln-widget-title">Lineage</h2>
      {troubled.length === 0 ? (
        <p className="ln-badges">
          {dags.length === 0 ? (
            <span className="ln-muted">No DAG has emitted lineage yet.</span>
          ) : (
            <Badge tone="ok">{plural(dags.length, "DAG")}: no drift</Badge>
          )}
          {waiting > 0 && <span className="ln-muted">{plural(waiting, "event")} to be forwarded</span>}
        </p>
      ) : (
        <ul className="ln-rows">
          {troubled.slice(0, 8).map((dag) => (
            <li key={dag.dag_id}>
              <a className="ln-link" href={href(dag.dag_id)}>
                <Name text={dag.dag_id} />
              </a>
              <Troubles dag={dag} href={href} />
            </li>
          ))}
        </ul>
      )}
      {troubled.length > 8 && <p className="ln-muted">and {plural(troubled.length - 8, "DAG")} more</p>}
    </section>
  );
}

function Troubles({ dag, href }: { dag: DagSummary; href: Props["href"] }) {
  const { waiting, trouble: problem } = dag.outbox;
  return (
    <span className="ln-badges">
      {dag.drift > 0 && (
        <a className="ln-link" href={href(dag.dag_id, "findings")}>
          <Badge tone="error">{plural(dag.drift, "finding")}</Badge>
        </a>
      )}
      {dag.map_is_stale && (
        <Badge
          tone="warning"
          title="The last finished run was not compared with the map, or the map's approval has ended"
        >
          stale map
        </Badge>
      )}
      {problem !== null && (
        <Badge tone="warning" title={problem}>
          {plural(waiting, "event")} not forwarded
        </Badge>
      )}
    </span>
  );
}

/** All DAGs with lineage, for the page in the navigation. */
export function HomeView({ dags, href }: Props) {
  return (
    <section className="ln-page" aria-labelledby="ln-home-title">
      <h1 id="ln-home-title">Lineage</h1>
      <p className="ln-muted">DAGs whose runs have lineage. Choose one to see what flowed over what is documented.</p>
      <Scroll label="DAGs with lineage">
        <table className="ln-table">
          <thead>
            <tr>
              <th scope="col">DAG</th>
              <th scope="col">Documented map</th>
              <th scope="col">Last run</th>
              <th scope="col">Outcome</th>
              <th scope="col">To do</th>
            </tr>
          </thead>
          <tbody>
            {dags.map((dag) => (
              <tr key={dag.dag_id}>
                <th scope="row">
                  <a className="ln-link" href={href(dag.dag_id)}>
                    <Name text={dag.dag_id} />
                  </a>
                </th>
                <td>{dag.map === null ? <span className="ln-muted">none</span> : <Name text={dag.map} />}</td>
                <td>{time(dag.last_run?.started ?? null)}</td>
                <td>
                  <Outcome dag={dag} />
                </td>
                <td>{trouble(dag) ? <Troubles dag={dag} href={href} /> : <span className="ln-muted">nothing</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

const TONES = { PASS: "ok", WARN: "warning", DRIFT: "error" } as const;

function Outcome({ dag }: { dag: DagSummary }) {
  const outcome = dag.last_run?.outcome ?? null;
  if (outcome === null) return <span className="ln-muted">not compared</span>;
  return <Badge tone={TONES[outcome]}>{outcome}</Badge>;
}
