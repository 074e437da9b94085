import { LineageError, type LineageSource } from "../api/source";
import type { ColumnEdge, ColumnPath, ColumnRef, DatasetDetail, Finding, Graph, Job, SearchItem } from "../api/types";

/** What a report embeds: answers of the API for one run, the column edges once. */
export interface ReportData {
  graph: Graph;
  details: DatasetDetail[];
  column_edges: ColumnEdge[];
  jobs: Job[];
  findings: Finding[];
}

const keyOf = ({ dataset, column }: ColumnRef) => `${dataset}\u0000${column}`;

function grouped(edges: readonly ColumnEdge[], end: "source" | "target"): Map<string, ColumnEdge[]> {
  const found = new Map<string, ColumnEdge[]>();
  for (const edge of edges) {
    const list = found.get(keyOf(edge[end]));
    if (list) list.push(edge);
    else found.set(keyOf(edge[end]), [edge]);
  }
  return found;
}

/** The edges along which values flow to a column, or from it, the nearest first; its own filters and keys too. */
function walk(edges: Map<string, ColumnEdge[]>, start: ColumnRef, next: "source" | "target"): ColumnEdge[] {
  const found: ColumnEdge[] = [];
  const seen = new Set([keyOf(start)]);
  let border = [start];
  while (border.length > 0) {
    const following: ColumnRef[] = [];
    for (const at of border)
      for (const edge of edges.get(keyOf(at)) ?? []) {
        const own = next === "source" && at === start;
        if (edge.kind === "indirect" && !own) continue;
        found.push(edge);
        if (edge.kind === "indirect" || seen.has(keyOf(edge[next]))) continue;
        seen.add(keyOf(edge[next]));
        following.push(edge[next]);
      }
    border = following;
  }
  return found;
}

function matches(data: ReportData, text: string, limit: number): SearchItem[] {
  const wanted = text.toLowerCase();
  const rank = (name: string) => (name === wanted ? 0 : name.startsWith(wanted) ? 1 : 2);
  const found: { rank: number; item: SearchItem }[] = [];
  const add = (item: SearchItem, name: string) => {
    if (item.label.toLowerCase().includes(wanted)) found.push({ rank: rank(name.toLowerCase()), item });
  };
  for (const { id, label } of data.graph.datasets) add({ dataset: id, column: null, label }, label);
  for (const { dataset, columns } of data.details)
    for (const { name } of columns) add({ dataset: dataset.id, column: name, label: `${dataset.label}.${name}` }, name);
  return found
    .sort((a, b) => a.rank - b.rank || (a.item.label < b.item.label ? -1 : 1))
    .slice(0, limit)
    .map(({ item }) => item);
}

const absent = (what: string) => Promise.reject(new LineageError(404, `This report has no ${what}.`));

/** Answers from the data of a report. */
export function offlineSource(data: ReportData): LineageSource {
  const { graph } = data;
  const details = new Map(data.details.map((detail) => [detail.dataset.id, detail]));
  const into = grouped(data.column_edges, "target");
  const outOf = grouped(data.column_edges, "source");
  return {
    name: "report",
    live: false,
    summary: () => Promise.resolve({ dags: [] }),
    runs: () => Promise.resolve({ items: [graph.run], total: 1 }),
    graph: () => Promise.resolve(graph),
    columns: (_run, dataset) => {
      const items = details.get(dataset)?.columns ?? [];
      const edges = data.column_edges.filter(({ source, target }) => source.dataset === dataset || target.dataset === dataset);
      return Promise.resolve({ columns: { dataset, items }, edges });
    },
    path: (_run, dataset, column): Promise<ColumnPath> => {
      const start = { dataset, column };
      return Promise.resolve({ upstream: walk(into, start, "source"), downstream: walk(outOf, start, "target"), truncated: false });
    },
    dataset: (_run, dataset) => {
      const found = details.get(dataset);
      return found ? Promise.resolve(found) : absent(`details of ${dataset}`);
    },
    jobs: () => Promise.resolve({ items: data.jobs, total: data.jobs.length }),
    findings: () => Promise.resolve({ items: data.findings, total: data.findings.length }),
    impact: () => absent("impact analysis: use `airflow-lineage impact`"),
    impactOfMigration: () => absent("impact analysis: use `airflow-lineage impact`"),
    search: (_run, text, limit) => Promise.resolve(matches(data, text, limit)),
  };
}
