import { Badge } from "./Badge";
import { Scroll } from "./Scroll";
import type { Problem, ProblemKind } from "./problem";

interface Advice {
  title: string;
  text: string;
  /** A command or a setting to copy. */
  code?: string;
  action?: "retry" | "login";
}

const ADVICE: Record<ProblemKind, Advice> = {
  "no-store": {
    title: "No event store can be reached",
    text: "The web server reads lineage from the event store. Check the option store in the section [airflow_lineage] of Airflow's configuration, and that its database runs and can be reached from the API server.",
    code: "airflow config get-value airflow_lineage store",
    action: "retry",
  },
  "empty-store": {
    title: "No lineage yet",
    text: "The event store holds no run. Trigger a DAG that emits lineage, such as the example pipeline. The page shows it as it runs.",
    code: "airflow dags trigger customer_analytics_pipeline",
    action: "retry",
  },
  "no-run": {
    title: "This run has no lineage",
    text: "The run has not emitted lineage yet, its events were deleted after the retention time, or you may not read its DAG. Choose another run, or wait until its first task runs.",
    action: "retry",
  },
  "newer-store": {
    title: "The event store is of a newer version",
    text: "A newer version of the provider has migrated the event store. Install that version in the web server as well, then restart it.",
    code: "pip install --upgrade airflow-lineage-provider",
    action: "retry",
  },
  offline: {
    title: "Airflow does not answer",
    text: "The browser could not reach Airflow's API server. Check your network or VPN, and that the server runs.",
    action: "retry",
  },
  "signed-out": {
    title: "Your session has ended",
    text: "Log in again. The link of this page brings you back to what you saw.",
    action: "login",
  },
  forbidden: {
    title: "You may not see this lineage",
    text: "Lineage of a DAG is shown to users who may read its task instances. Ask an administrator of Airflow for that permission.",
  },
  unexpected: {
    title: "The page could not be shown",
    text: "Try again. If it happens again, look for the time of this request in the log of Airflow's API server.",
    action: "retry",
  },
};

interface Props {
  problem: Problem;
  onRetry?: (() => void) | undefined;
}

/** A page that says what is wrong and what to do. */
export function StatePage({ problem, onRetry }: Props) {
  const advice = ADVICE[problem.kind];
  return (
    <section className="ln-state" role="alert" aria-labelledby="ln-state-title" data-problem={problem.kind}>
      <h2 id="ln-state-title">{advice.title}</h2>
      <p>{advice.text}</p>
      {advice.code && (
        <Scroll label="Command" className="ln-code">
          <pre>{advice.code}</pre>
        </Scroll>
      )}
      {problem.detail && (
        <p className="ln-muted ln-break">
          Airflow said: <bdi>{problem.detail}</bdi>
        </p>
      )}
      <Action problem={problem} onRetry={onRetry} />
    </section>
  );
}

/** The same in a line, where there is little room. */
export function StateLine({ problem, onRetry }: Props) {
  return (
    <p role="alert" className="ln-badges" data-problem={problem.kind}>
      <Badge tone="warning">{ADVICE[problem.kind].title}</Badge>
      {problem.detail && <bdi className="ln-muted ln-break">{problem.detail}</bdi>}
      <Action problem={problem} onRetry={onRetry} />
    </p>
  );
}

/** A line above data that could not be loaded again. */
export function Outdated({ problem, onRetry }: Props) {
  return (
    <p role="alert" className="ln-outdated" data-problem={problem.kind}>
      {ADVICE[problem.kind].title}. What is shown may be out of date.
      <Action problem={problem} onRetry={onRetry} />
    </p>
  );
}

function Action({ problem, onRetry }: Props) {
  const { action } = ADVICE[problem.kind];
  if (action === "login") {
    return (
      <a className="ln-button ln-button-main" href={loginUrl()}>
        Log in
      </a>
    );
  }
  if (action !== "retry" || !onRetry) return null;
  return (
    <button type="button" className="ln-button ln-button-main" onClick={onRetry}>
      Try again
    </button>
  );
}

/** Airflow's login, under any base path, with the way back to this page. */
function loginUrl(): string {
  const url = new URL("api/v2/auth/login", document.baseURI);
  url.searchParams.set("next", window.location.href);
  return url.href;
}

/** Shown while data is on its way. */
export function Loading({ what }: { what: string }) {
  return (
    <p role="status" className="ln-muted ln-loading">
      Loading {what} …
    </p>
  );
}
