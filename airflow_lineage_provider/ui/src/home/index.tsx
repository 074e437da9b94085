import { useSummary } from "../api/hooks";
import { Answer } from "../common/Answer";
import { StatePage } from "../common/StatePage";
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
  return (
    <Answer query={summary} what="the DAGs with lineage">
      {({ dags }) => (
        <HomeWidgetView
          dags={dags}
          href={(dagId, tab) => new URL(`plugin/lineage${viewOf(dagId, tab)}`, document.baseURI).href}
        />
      )}
    </Answer>
  );
}
