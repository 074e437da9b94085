import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { columnsQuery, usePath, useSource } from "../api/hooks";
import type { RunRef } from "../api/source";
import type { Column, ColumnEdge, Graph } from "../api/types";
import type { View } from "../shell/view";
import { drawn, layoutInput, neighboursOf, pathColumns, pathEdges, within, type Drawn, type Neighbours } from "./model";
import type { LayoutInput } from "./layout";

/** Columns are asked for by dataset: at most so many of a path's, for their types. */
const MAX_ASKED = 24;

export interface Picture {
  drawn: Drawn;
  neighbours: Neighbours;
  input: LayoutInput;
  only: ReadonlySet<string> | null;
  /** The edges of the selected column's path; null without one. */
  path: readonly ColumnEdge[] | null;
  /** What went wrong, or is not whole: lines to show above the graph. */
  notes: string[];
  loading: boolean;
  /** The edges of a column of an opened dataset. */
  edgesOf: (dataset: string, column: string) => readonly ColumnEdge[];
}

const unknownColumn = (name: string): Column => ({
  name,
  type: null,
  documented_type: null,
  description: null,
  lineage: "known",
  findings: 0,
  gravest: null,
});

function rowsOf(columns: Column[] | undefined, onPath: ReadonlySet<string> | undefined, open: boolean): Column[] {
  if (!onPath) return open ? (columns ?? []) : [];
  const known = new Map((columns ?? []).map((column) => [column.name, column]));
  const path = [...onPath].map((name) => known.get(name) ?? unknownColumn(name));
  return open ? [...path, ...(columns ?? []).filter((column) => !onPath.has(column.name))] : path;
}

/** What to draw of a graph for a view: the cut, the rows of its nodes and the edges of columns. */
export function usePicture(run: RunRef, graph: Graph, view: View): Picture {
  const source = useSource();
  const path = usePath(run, view.dataset, view.column);
  const onPath = useMemo(
    () => (path.data && view.dataset !== null && view.column !== null ? pathColumns(path.data, view.dataset, view.column) : null),
    [path.data, view.dataset, view.column],
  );
  const asked = useMemo(() => {
    const names = new Set(view.open);
    for (const name of onPath?.keys() ?? []) if (names.size < view.open.length + MAX_ASKED) names.add(name);
    return [...names];
  }, [view.open, onPath]);
  const answers = useQueries({
    queries: asked.map((dataset) => columnsQuery(source, run, dataset)),
    combine: (results) => ({
      columns: results.map((result) => result.data?.columns.items),
      edges: results.map((result) => result.data?.edges ?? []),
      loading: results.some((result) => result.isPending),
      errors: results.map((result) => result.error?.message ?? null),
    }),
  });

  const only = useMemo(() => {
    if (onPath && !view.all) return new Set(onPath.keys());
    return view.focus === null ? null : within(graph.edges, view.focus, view.up, view.down);
  }, [graph, onPath, view.all, view.focus, view.up, view.down]);
  const { columns } = answers;
  const picture = useMemo(() => {
    const rows = new Map<string, Column[]>();
    asked.forEach((dataset, index) => {
      rows.set(dataset, rowsOf(columns[index], onPath?.get(dataset), view.open.includes(dataset)));
    });
    const result = drawn(graph, { only, hidden: view.hidden, collapsed: view.collapsed, rows });
    return { drawn: result, neighbours: neighboursOf(result.edges), input: layoutInput(result) };
  }, [graph, only, view.hidden, view.collapsed, view.open, asked, columns, onPath]);

  // Of a path's other datasets only the types are missing: that needs no word.
  const notes = asked.flatMap((dataset, index) => {
    const error = answers.errors[index];
    return error && view.open.includes(dataset) ? [`${dataset}: ${error}`] : [];
  });
  if (path.error) notes.push(path.error.message);
  if (path.data?.truncated) notes.push("The path is longer than what the server walks: its ends are not shown.");
  return {
    ...picture,
    only,
    path: path.data ? pathEdges(path.data) : null,
    notes,
    loading: answers.loading || path.isLoading,
    edgesOf: (dataset, column) => {
      const edges = answers.edges[asked.indexOf(dataset)] ?? [];
      const at = (end: ColumnEdge["source"]) => end.dataset === dataset && end.column === column;
      return edges.filter((edge) => at(edge.source) || at(edge.target));
    },
  };
}
