import { isRunning, useGraph, useJobs } from "../api/hooks";
import { Answer } from "../common/Answer";
import { useNow } from "../common/useNow";
import type { PageProps } from "../shell/page";
import { useNavigate, useOption } from "../shell/view";
import { ALL_JOBS, isSortKey } from "./jobs";
import { RunsView } from "./RunsView";

/** The jobs of a run, those of one task on a task's tab; asked for again while the run goes on. */
export function RunsTab({ run, taskId }: PageProps) {
  const navigate = useNavigate();
  const graph = useGraph(run);
  const isLive = isRunning(graph.data?.run.state);
  const jobs = useJobs(run, isLive);
  const now = useNow(isLive);
  const [view, setView] = useOption("as", "gantt");
  const [text, setText] = useOption("find", "");
  const [state, setState] = useOption("state", "");
  const [kind, setKind] = useOption("kind", "");
  const [sort, setSort] = useOption("sort", ALL_JOBS.sort);
  const [job, setJob] = useOption("job", "");
  const key = sort.replace(/^-/, "");
  const filter = { text, state, kind, sort: isSortKey(key) ? key : ALL_JOBS.sort, descending: sort.startsWith("-") };
  return (
    <Answer query={graph} what="the run">
      {(shown) => (
        <Answer query={jobs} what="the jobs">
          {(page) => (
            <RunsView
              run={shown.run}
              jobs={page.items.filter((item) => taskId === null || item.task_id === taskId)}
              now={now}
              isLive={isLive}
              view={view === "table" ? "table" : "gantt"}
              onView={setView}
              filter={filter}
              onFilter={(next) => {
                if (next.text !== text) setText(next.text);
                if (next.state !== state) setState(next.state);
                if (next.kind !== kind) setKind(next.kind);
                setSort(`${next.descending ? "-" : ""}${next.sort}`);
              }}
              selected={job || null}
              onJob={(name) => {
                setJob(name ?? "");
              }}
              onDataset={(dataset) => {
                navigate({ tab: "graph", dataset, column: null });
              }}
            />
          )}
        </Answer>
      )}
    </Answer>
  );
}
