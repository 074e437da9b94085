import type {
  Change,
  ColumnPath,
  ColumnsAnswer,
  DagSummary,
  DatasetDetail,
  Finding,
  Graph,
  ImpactAnswer,
  Job,
  Page,
  RunSummary,
  SearchItem,
} from "./types";

/** A run of a DAG; `run` may be `~latest`. */
export interface RunRef {
  dag: string;
  run: string;
}

/** Where the pages get their data: the REST API, or what an offline report embeds. */
export interface LineageSource {
  /** What the cached answers of this source are keyed by. */
  readonly name: string;
  /** Whether answers can change, so that pages of an unfinished run ask again. */
  readonly live: boolean;
  summary(signal?: AbortSignal): Promise<{ dags: DagSummary[] }>;
  runs(dag: string, limit: number, signal?: AbortSignal): Promise<Page<RunSummary>>;
  graph(run: RunRef, signal?: AbortSignal): Promise<Graph>;
  columns(run: RunRef, dataset: string, signal?: AbortSignal): Promise<ColumnsAnswer>;
  path(run: RunRef, dataset: string, column: string, signal?: AbortSignal): Promise<ColumnPath>;
  dataset(run: RunRef, dataset: string, signal?: AbortSignal): Promise<DatasetDetail>;
  jobs(run: RunRef, signal?: AbortSignal): Promise<Page<Job>>;
  findings(run: RunRef, signal?: AbortSignal): Promise<Page<Finding>>;
  impact(run: RunRef, dataset: string, column: string, change: Change, signal?: AbortSignal): Promise<ImpactAnswer>;
  impactOfMigration(run: RunRef, migration: string, signal?: AbortSignal): Promise<ImpactAnswer>;
  search(run: RunRef, text: string, limit: number, signal?: AbortSignal): Promise<SearchItem[]>;
}

/** An answer that is an error; `status` is 0 when nothing answered. */
export class LineageError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "LineageError";
    this.status = status;
  }
}
