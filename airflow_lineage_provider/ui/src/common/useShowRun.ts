import type { RunRef } from "../api/source";
import { formatView, useNavigate, useUrlView } from "../shell/view";

/** Shows another run of the DAG in the same view; on the tab of a run, which cannot change, by going to its page. */
export function useShowRun(run: RunRef): (runId: string) => void {
  const navigate = useNavigate();
  const [view] = useUrlView();
  const isFixed = run.run !== (view.run ?? "~latest");
  return (runId) => {
    if (!isFixed) {
      navigate({ run: runId });
      return;
    }
    const page = `dags/${encodeURIComponent(run.dag)}/runs/${encodeURIComponent(runId)}/plugin/lineage_run`;
    window.location.assign(new URL(page + formatView({ ...view, run: null }), document.baseURI));
  };
}
