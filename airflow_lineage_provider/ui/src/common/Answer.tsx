import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { problemOf } from "./problem";
import { Loading, StatePage } from "./StatePage";

interface Props<T> {
  query: UseQueryResult<T>;
  /** What is loaded, such as `the findings`. */
  what: string;
  children: (data: T) => ReactNode;
}

/** An answer of the API: its data, or that it is loading, or what is wrong and what to do. */
export function Answer<T>({ query, what, children }: Props<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.isPending) return <Loading what={what} />;
  return <StatePage problem={problemOf(query.error)} onRetry={() => void query.refetch()} />;
}
