import { keepPreviousData, QueryClient, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { httpSource } from "./http";
import { LineageError, type LineageSource, type RunRef } from "./source";
import type { Change, Graph, ImpactAnswer } from "./types";

const LIVE_MS = 3000;

export const SourceContext = createContext<LineageSource>(httpSource);
export const useSource = () => useContext(SourceContext);

/** A client that retries what may pass (no answer, 5xx but 503), twice. */
export function queryClient(): QueryClient {
  const retry = (count: number, error: Error) =>
    count < 2 && error instanceof LineageError && (error.status === 0 || (error.status >= 500 && error.status !== 503));
  return new QueryClient({ defaultOptions: { queries: { networkMode: "always", retry, staleTime: 30_000, refetchOnWindowFocus: false } } });
}

/** Whether a run's answers can still change. */
export const isRunning = (state: string | undefined) => state === "running" || state === "queued";

export function useSummary() {
  const source = useSource();
  return useQuery({ queryKey: [source.name, "summary"], queryFn: ({ signal }) => source.summary(signal) });
}

export function useRuns(dag: string, limit = 50) {
  const source = useSource();
  return useQuery({ queryKey: [source.name, dag, "runs", limit], queryFn: ({ signal }) => source.runs(dag, limit, signal) });
}

/** The graph of a run; asked for every 3 s while the run goes on. */
export function useGraph(run: RunRef): UseQueryResult<Graph> {
  const source = useSource();
  return useQuery({
    queryKey: [source.name, run.dag, run.run, "graph"],
    queryFn: ({ signal }) => source.graph(run, signal),
    refetchInterval: (query) => (source.live && isRunning(query.state.data?.run.state) ? LIVE_MS : false),
  });
}

export function useColumns(run: RunRef, dataset: string | null) {
  const source = useSource();
  return useQuery({ ...columnsQuery(source, run, dataset ?? ""), enabled: dataset !== null });
}

/** The query of a dataset's columns, for `useQueries`. */
export const columnsQuery = (source: LineageSource, run: RunRef, dataset: string) => ({
  queryKey: [source.name, run.dag, run.run, "columns", dataset],
  queryFn: ({ signal }: { signal: AbortSignal }) => source.columns(run, dataset, signal),
});

export function usePath(run: RunRef, dataset: string | null, column: string | null) {
  const source = useSource();
  return useQuery({
    queryKey: [source.name, run.dag, run.run, "path", dataset, column],
    queryFn: ({ signal }) => source.path(run, dataset ?? "", column ?? "", signal),
    enabled: dataset !== null && column !== null,
  });
}

export function useDataset(run: RunRef, dataset: string | null) {
  const source = useSource();
  return useQuery({
    queryKey: [source.name, run.dag, run.run, "dataset", dataset],
    queryFn: ({ signal }) => source.dataset(run, dataset ?? "", signal),
    enabled: dataset !== null,
  });
}

/** The jobs of a run; asked for every 3 s while `running`. */
export function useJobs(run: RunRef, running: boolean) {
  const source = useSource();
  return useQuery({
    queryKey: [source.name, run.dag, run.run, "jobs"],
    queryFn: ({ signal }) => source.jobs(run, signal),
    refetchInterval: source.live && running ? LIVE_MS : false,
  });
}

export function useFindings(run: RunRef) {
  const source = useSource();
  return useQuery({
    queryKey: [source.name, run.dag, run.run, "findings"],
    queryFn: ({ signal }) => source.findings(run, signal),
  });
}

/** What a change of a column reaches, or (with `migration`) what a migration's SQL does. Null asks nothing. */
export function useImpact(
  run: RunRef,
  question: { dataset: string; column: string; change: Change } | { migration: string } | null,
): UseQueryResult<ImpactAnswer> {
  const source = useSource();
  return useQuery({
    queryKey: [source.name, run.dag, run.run, "impact", question],
    queryFn: ({ signal }) => {
      if (question === null) throw new Error("disabled");
      return "migration" in question
        ? source.impactOfMigration(run, question.migration, signal)
        : source.impact(run, question.dataset, question.column, question.change, signal);
    },
    enabled: question !== null,
  });
}

export function useSearch(run: RunRef, text: string, limit = 20) {
  const source = useSource();
  return useQuery({
    queryKey: [source.name, run.dag, run.run, "search", text, limit],
    queryFn: ({ signal }) => source.search(run, text, limit, signal),
    enabled: text.trim() !== "",
    placeholderData: keepPreviousData,
  });
}
