import { createRoot } from "react-dom/client";
import { layout } from "../graph/layout";
import { LineageApp } from "../shell/LineageApp";
import { addStyles } from "../shell/styles";
import type { Tab } from "../shell/view";
import { offlineSource, type ReportData } from "./source";

const text = document.getElementById("lineage-data")?.textContent;
const root = document.getElementById("lineage");
if (root && text) {
  addStyles();
  // A report has no button for its colours: it looks as the reader's system does.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    document.documentElement.classList.toggle("dark", dark.matches);
  };
  follow();
  dark.addEventListener("change", follow);

  const data = JSON.parse(text) as ReportData;
  const tabs: Tab[] = ["graph"];
  if (data.jobs.length > 0) tabs.push("runs");
  if (data.findings.length > 0) tabs.push("findings");
  createRoot(root).render(
    <LineageApp
      dagId="report"
      runId={data.graph.run.run_id}
      tabs={tabs}
      engine={(input) => Promise.resolve(layout(input))}
      source={offlineSource(data)}
    />,
  );
}
