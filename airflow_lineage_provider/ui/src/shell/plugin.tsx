import { queryClient, SourceContext } from "../api/hooks";
import { httpSource } from "../api/http";
import { QueryClientProvider } from "@tanstack/react-query";
import { HomeWidget } from "../home";
import { LineageApp } from "./LineageApp";
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

const client = queryClient();

// Airflow looks for a global with the entry's name first. All entries share this module, which the browser runs once,
// so the names of all of them are set here. Pages and tabs differ by the props that Airflow passes.
Object.assign(globalThis, { AirflowPlugin: LineageApp, Lineage: LineageApp, "Lineage drift": DashboardWidget });
