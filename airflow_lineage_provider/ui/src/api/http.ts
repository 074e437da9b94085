import { LineageError, type LineageSource, type RunRef } from "./source";
import type { Page } from "./types";

const LIMIT = 1000;

type Params = Record<string, string | number>;

/** The URL of an endpoint under the page's base: any base path and proxy. */
export function endpoint(path: string, params: Params = {}, base: string = document.baseURI): string {
  const url = new URL(`lineage/api/v1/${path}`, base);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, String(value));
  return url.href;
}

async function messageOf(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { error?: unknown; detail?: unknown };
    if (typeof body.error === "string") return body.error;
    if (typeof body.detail === "string") return body.detail;
  } catch {
    // Not JSON: a proxy's page, say. The status line has to do.
  }
  return `The server answered ${response.status} ${response.statusText}`.trim();
}

async function request<T>(url: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    // The browser sends If-None-Match by itself and answers a 304 from its cache.
    response = await fetch(url, { ...init, cache: "no-cache", credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new LineageError(0, "The server cannot be reached. Check the connection and try again.");
  }
  if (!response.ok) throw new LineageError(response.status, await messageOf(response));
  try {
    return (await response.json()) as T;
  } catch {
    throw new LineageError(response.status, "The answer is not JSON. Is a proxy or a login page in between?");
  }
}

function get<T>(path: string, params: Params, signal?: AbortSignal): Promise<T> {
  return request<T>(endpoint(path, params), { signal: signal ?? null });
}

async function all<T>(path: string, signal?: AbortSignal): Promise<Page<T>> {
  const page = await get<Page<T>>(path, { limit: LIMIT, offset: 0 }, signal);
  const items = [...page.items];
  while (items.length < page.total) {
    const next = await get<Page<T>>(path, { limit: LIMIT, offset: items.length }, signal);
    if (next.items.length === 0) break;
    items.push(...next.items);
  }
  return { items, total: page.total };
}

const of = ({ dag, run }: RunRef) => `dags/${encodeURIComponent(dag)}/runs/${encodeURIComponent(run)}`;

/** Reads from the REST API that the plugin serves beside Airflow's. */
export const httpSource: LineageSource = {
  name: "api",
  live: true,
  summary: (signal) => get("summary", {}, signal),
  runs: (dag, limit, signal) => get(`dags/${encodeURIComponent(dag)}/runs`, { limit }, signal),
  graph: (run, signal) => get(`${of(run)}/graph`, {}, signal),
  columns: (run, dataset, signal) => get(`${of(run)}/columns`, { dataset }, signal),
  path: (run, dataset, column, signal) => get(`${of(run)}/path`, { dataset, column }, signal),
  dataset: (run, dataset, signal) => get(`${of(run)}/dataset`, { dataset }, signal),
  jobs: (run, signal) => all(`${of(run)}/jobs`, signal),
  findings: (run, signal) => all(`${of(run)}/findings`, signal),
  impact: (run, dataset, column, change, signal) => get(`${of(run)}/impact`, { dataset, column, change }, signal),
  impactOfMigration: (run, migration, signal) =>
    request(endpoint(`${of(run)}/impact`), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ migration }),
      signal: signal ?? null,
    }),
  search: async (run, q, limit, signal) => (await get<{ items: [] }>(`${of(run)}/search`, { q, limit }, signal)).items,
};
