import { queryClient, SourceContext } from "../api/hooks";
import { httpSource } from "../api/http";
import { QueryClientProvider } from "@tanstack/react-query";
import { HomeWidget } from "../home";
import { workerEngine } from "../graph/useLayout";
import { LineageApp, type HostProps } from "./LineageApp";
import { addStyles } from "./styles";

addStyles();

function DashboardWidget() {
  return (
    <QueryClientProvider client={client}>
      <SourceContext value={httpSource}>
        <div className="ln-root">
          <HomeWidget />
        </div>
      </SourceContext>
    </QueryClientProvider>
  );
}

const engine = workerEngine();

function Pages(props: HostProps) {
  return <LineageApp {...props} engine={engine} />;
}

const client = queryClient();

// Airflow looks for a global with the entry's name first. All entries share this module, which the browser runs once,
// so the names of all of them are set here. Pages and tabs differ by the props that Airflow passes.
Object.assign(globalThis, { AirflowPlugin: Pages, Lineage: Pages, "Lineage drift": DashboardWidget });
