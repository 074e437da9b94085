import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { problemOf } from "./problem";
import { Loading, Outdated, StatePage } from "./StatePage";

interface Props<T> {
  query: UseQueryResult<T>;
  /** What is loaded, such as `the findings`. */
  what: string;
  children: (data: T) => ReactNode;
}

/**
 * An answer of the API: its data, or that it is loading, or what is wrong and what to do.
 *
 * Data that could not be loaded again stays, below a line that says so.
 */
export function Answer<T>({ query, what, children }: Props<T>) {
  const retry = () => void query.refetch();
  if (query.data === undefined) {
    return query.isPending ? <Loading what={what} /> : <StatePage problem={problemOf(query.error)} onRetry={retry} />;
  }
  return (
    <>
      {query.isError && <Outdated problem={problemOf(query.error)} onRetry={retry} />}
      {children(query.data)}
    </>
  );
}
