import { createContext, useCallback, useContext, useSyncExternalStore } from "react";
import { EDGE_STATES, type EdgeState } from "../api/types";

export const TABS = ["graph", "runs", "findings", "impact"] as const;
export type Tab = (typeof TABS)[number];

/** What the pages show. All of it is in the URL's fragment, so that each state is a link. */
export interface View {
  tab: Tab;
  /** The DAG and the run, where the page is not a DAG's or a run's tab. */
  dag: string | null;
  run: string | null;
  /** What is selected. A column is of `dataset`. */
  dataset: string | null;
  column: string | null;
  /** The dataset that the graph is cut to, with so many hops up and down. */
  focus: string | null;
  up: number;
  down: number;
  /** Lanes that are drawn as one node, and datasets whose columns are shown. */
  collapsed: string[];
  open: string[];
  /** What a tab alone knows, such as the filter of the findings; see useOption. */
  options: Readonly<Record<string, string>>;
  /** States of edges that are not drawn. */
  hidden: EdgeState[];
  /** Whether a column's path is drawn among all datasets and not by itself. */
  all: boolean;
  /** Whether the graph is shown as a table. */
  list: boolean;
}

export const START: View = {
  tab: "graph",
  dag: null,
  run: null,
  dataset: null,
  column: null,
  focus: null,
  up: 1,
  down: 1,
  collapsed: [],
  open: [],
  options: {},
  hidden: [],
  all: false,
  list: false,
};

const OPTION = "o.";

export const MAX_HOPS = 20;

function hops(text: string | null): number {
  const value = Number(text ?? "1");
  return Number.isInteger(value) && value >= 0 ? Math.min(value, MAX_HOPS) : 1;
}

/** The view of a URL's fragment; what it does not say, or says wrong, is as in START. */
export function parseView(hash: string): View {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  const tab = TABS.find((name) => name === params.get("tab")) ?? START.tab;
  return {
    tab,
    dag: params.get("dag"),
    run: params.get("run"),
    dataset: params.get("dataset"),
    column: params.get("column"),
    focus: params.get("focus"),
    up: hops(params.get("up")),
    down: hops(params.get("down")),
    collapsed: params.getAll("collapsed"),
    open: params.getAll("open"),
    options: Object.fromEntries(
      [...params].filter(([name]) => name.startsWith(OPTION)).map(([name, value]) => [name.slice(OPTION.length), value]),
    ),
    hidden: EDGE_STATES.filter((state) => params.getAll("hidden").includes(state)),
    all: params.get("all") === "1",
    list: params.get("list") === "1",
  };
}

/** The fragment of a view, with a leading `#`. */
export function formatView(view: View): string {
  const params = new URLSearchParams();
  if (view.tab !== START.tab) params.set("tab", view.tab);
  for (const name of ["dag", "run", "dataset", "column", "focus"] as const) {
    const value = view[name];
    if (value !== null) params.set(name, value);
  }
  if (view.focus !== null) {
    params.set("up", String(view.up));
    params.set("down", String(view.down));
  }
  if (view.all) params.set("all", "1");
  if (view.list) params.set("list", "1");
  for (const state of view.hidden) params.append("hidden", state);
  for (const lane of view.collapsed) params.append("collapsed", lane);
  for (const dataset of view.open) params.append("open", dataset);
  for (const [name, value] of Object.entries(view.options)) params.append(OPTION + name, value);
  return `#${params.toString()}`;
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  window.addEventListener("popstate", changed);
  return () => {
    window.removeEventListener("hashchange", changed);
    window.removeEventListener("popstate", changed);
  };
}

let last: { hash: string; view: View } = { hash: "", view: START };

function currentView(): View {
  const { hash } = window.location;
  if (hash !== last.hash) last = { hash, view: parseView(hash) };
  return last.view;
}

export type Navigate = (change: Partial<View>) => void;

/** A value of a tab that is kept in the URL, and a function that sets it without a new entry in the browser's history. */
export function useOption(name: string, fallback: string): [string, (value: string) => void] {
  const { options } = useSyncExternalStore(subscribe, currentView);
  const set = useCallback(
    (value: string) => {
      const view = currentView();
      const others = Object.entries(view.options).filter(([other]) => other !== name);
      const changed = Object.fromEntries(value === fallback ? others : [...others, [name, value]]);
      window.history.replaceState(window.history.state, "", formatView({ ...view, options: changed }));
      window.dispatchEvent(new HashChangeEvent("hashchange"));
    },
    [name, fallback],
  );
  return [Object.hasOwn(options, name) ? (options[name] ?? fallback) : fallback, set];
}

/** The view in the URL, and a function that changes it (a new entry in the browser's history). */
export function useUrlView(): [View, Navigate] {
  const view = useSyncExternalStore(subscribe, currentView);
  const navigate = useCallback((change: Partial<View>) => {
    const hash = formatView({ ...currentView(), ...change });
    if (hash !== window.location.hash) window.location.hash = hash;
  }, []);
  return [view, navigate];
}

export const NavigateContext = createContext<Navigate>(() => undefined);

/** Changes the view, e.g. `navigate({ tab: "graph", dataset, column })` shows a column's whole path. */
export const useNavigate = () => useContext(NavigateContext);
