import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { queryClient, SourceContext } from "../api/hooks";
import { httpSource } from "../api/http";
import type { LineageSource } from "../api/source";
import { FindingsTab } from "../findings";
import { GraphTab } from "../graph";
import { LayoutContext, type LayoutEngine } from "../graph/useLayout";
import { Home } from "../home";
import { ImpactTab } from "../impact";
import { RunsTab } from "../runs";
import { TabBar } from "./TabBar";
import { NavigateContext, TABS, useUrlView, type Tab } from "./view";

/** What Airflow's page passes to a plugin's component; nothing on a page of the navigation. */
export interface HostProps {
  dagId?: string | undefined;
  runId?: string | undefined;
  taskId?: string | undefined;
  mapIndex?: number | string | undefined;
}

const TAB_PAGES = { graph: GraphTab, runs: RunsTab, findings: FindingsTab, impact: ImpactTab };

interface AppProps extends HostProps {
  engine: LayoutEngine;
  /** The tabs that the source can fill; all by default. */
  tabs?: readonly Tab[];
  source?: LineageSource;
  client?: QueryClient;
}

const sharedClient = queryClient();

/** The pages of a run, or the list of DAGs where neither the host nor the URL names one. */
export function LineageApp({ dagId, runId, taskId, engine, tabs = TABS, source = httpSource, client = sharedClient }: AppProps) {
  const [view, navigate] = useUrlView();
  const dag = dagId ?? view.dag;
  const run = { dag: dag ?? "", run: runId ?? view.run ?? "~latest" };
  const tab = tabs.includes(view.tab) ? view.tab : "graph";
  const Page = TAB_PAGES[tab];
  return (
    <QueryClientProvider client={client}>
      <SourceContext value={source}>
        <LayoutContext value={engine}>
          <NavigateContext value={navigate}>
            <div className="ln-root" data-testid="lineage">
              {dag === null ? (
                <Home />
              ) : (
                <>
                  <TabBar view={{ ...view, tab }} run={run} chooseRun={runId === undefined} chooseDag={dagId === undefined} tabs={tabs} />
                  <Page key={`${run.dag}/${run.run}`} run={run} view={view} taskId={taskId ?? null} />
                </>
              )}
            </div>
          </NavigateContext>
        </LayoutContext>
      </SourceContext>
    </QueryClientProvider>
  );
}
