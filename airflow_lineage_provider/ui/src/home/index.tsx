import { useSummary } from "../api/hooks";
import { Answer } from "../common/Answer";
import { problemOf } from "../common/problem";
import { Loading, StateLine, StatePage } from "../common/StatePage";
import { formatView, START, type Tab } from "../shell/view";
import { HomeView, HomeWidgetView } from "./HomeView";

const viewOf = (dagId: string, tab: Tab = "graph") => formatView({ ...START, dag: dagId, tab });

/** The DAGs with lineage, for the page of the navigation. */
export function Home() {
  const summary = useSummary();
  return (
    <Answer query={summary} what="the DAGs">
      {({ dags }) =>
        dags.length === 0 ? (
          <StatePage problem={{ kind: "empty-store", detail: null }} onRetry={() => void summary.refetch()} />
        ) : (
          <HomeView dags={dags} href={viewOf} />
        )
      }
    </Answer>
  );
}

/** The widget on Airflow's dashboard; its links lead to the page of the navigation. */
export function HomeWidget() {
  const summary = useSummary();
  if (summary.data) {
    return (
      <HomeWidgetView
        dags={summary.data.dags}
        href={(dagId, tab) => new URL(`plugin/lineage${viewOf(dagId, tab)}`, document.baseURI).href}
      />
    );
  }
  return (
    <section className="ln-widget" aria-labelledby="ln-widget-title">
      <h2 id="ln-widget-title">Lineage</h2>
      {summary.isPending ? (
        <Loading what="the DAGs with lineage" />
      ) : (
        <StateLine problem={problemOf(summary.error)} onRetry={() => void summary.refetch()} />
      )}
    </section>
  );
}
