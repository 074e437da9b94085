import { createRoot } from "react-dom/client";
import { layout } from "../graph/layout";
import { LineageApp } from "../shell/LineageApp";
import { addStyles } from "../shell/styles";
import { offlineSource, type ReportData } from "./source";

const text = document.getElementById("lineage-data")?.textContent;
const root = document.getElementById("lineage");
if (root && text) {
  addStyles();
  const source = offlineSource(JSON.parse(text) as ReportData);
  createRoot(root).render(<LineageApp dagId="report" runId="report" engine={(input) => Promise.resolve(layout(input))} source={source} />);
}
