import { LineageError, type LineageSource } from "../api/source";
import type { ColumnsAnswer, DatasetDetail, Finding, Graph, Job } from "../api/types";

/** What a report embeds: answers of the API for one run. */
export interface ReportData {
  title: string;
  graph: Graph;
  columns: Record<string, ColumnsAnswer>;
  datasets: Record<string, DatasetDetail>;
  jobs: Job[];
  findings: Finding[];
}

const absent = (what: string) => Promise.reject(new LineageError(404, `This report has no ${what}.`));

/** Answers from the data of a report; the names are looked up as own properties only. */
export function offlineSource(data: ReportData): LineageSource {
  const { graph } = data;
  return {
    name: "report",
    live: false,
    summary: () => Promise.resolve({ dags: [] }),
    runs: () => Promise.resolve({ items: [graph.run], total: 1 }),
    graph: () => Promise.resolve(graph),
    columns: (_run, dataset) => {
      const found = Object.hasOwn(data.columns, dataset) ? data.columns[dataset] : undefined;
      return found ? Promise.resolve(found) : Promise.resolve({ columns: { dataset, items: [] }, edges: [] });
    },
    path: () => absent("column paths"),
    dataset: (_run, dataset) => {
      const found = Object.hasOwn(data.datasets, dataset) ? data.datasets[dataset] : undefined;
      return found ? Promise.resolve(found) : absent(`details of ${dataset}`);
    },
    jobs: () => Promise.resolve({ items: data.jobs, total: data.jobs.length }),
    findings: () => Promise.resolve({ items: data.findings, total: data.findings.length }),
    impact: () => absent("impact analysis: run `airflow-lineage impact`"),
    impactOfMigration: () => absent("impact analysis: run `airflow-lineage impact`"),
    search: () => Promise.resolve([]),
  };
}
