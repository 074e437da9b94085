import { useSummary } from "../api/hooks";

/** The DAGs with lineage, for the page of the navigation. */
export function Home() {
  return <HomeWidget />;
}

/** The widget on Airflow's dashboard. */
export function HomeWidget() {
  const summary = useSummary();
  return <p>{summary.data?.dags.length ?? 0} DAGs with lineage</p>;
}
