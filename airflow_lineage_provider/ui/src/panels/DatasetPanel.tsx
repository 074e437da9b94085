import type { ColumnEdge, DatasetDetail, Finding } from "../api/types";
import { Badge, type Tone } from "../common/Badge";
import { plural } from "../common/format";
import { Name } from "../common/Name";
import { Tabs } from "../common/Tabs";
import { FindingList } from "../findings/FindingList";
import { About } from "./About";
import { newest, Quality } from "./Quality";
import { RunHistory } from "./RunHistory";
import { LineageKnown, Schema } from "./Schema";
import { SqlView } from "./SqlView";

export interface DatasetPanelProps {
  detail: DatasetDetail;
  /** Edges into and out of the dataset's columns, for the sources and the expression of the chosen column. */
  edges: readonly ColumnEdge[];
  column: string | null;
  tab: string;
  onTab: (tab: string) => void;
  /** Choose a column: its whole path is shown. */
  onColumn: (column: string) => void;
  onDataset: (dataset: string, column?: string) => void;
  onRun: (runId: string) => void;
  /** Null where nothing answers it. */
  onImpact: ((dataset: string, column: string | null) => void) | null;
  onClose: () => void;
}

/** All that is known of a dataset, beside the graph. */
export function DatasetPanel(props: DatasetPanelProps) {
  const { detail, column, tab, onTab, onImpact, onClose } = props;
  const { dataset } = detail;
  const failed = detail.checks.filter((check) => newest(check.results)?.passed === false).length;
  return (
    <div className="ln-panel">
      <header className="ln-panel-head">
        <div className="ln-panel-title">
          <h2>
            <Name text={dataset.label} />
          </h2>
          <button type="button" className="ln-button ln-close" aria-label="Close the panel" onClick={onClose}>
            <span aria-hidden="true">✕</span>
          </button>
        </div>
        <p className="ln-muted">
          {dataset.kind} in <bdi>{dataset.layer ?? dataset.system}</bdi>, {plural(detail.columns.length, "column")}
        </p>
        <p className="ln-badges">
          <span className="ln-muted">column lineage</span> <LineageKnown lineage={dataset.column_lineage} />
          {detail.findings.length > 0 && (
            <Badge tone={worst(detail.findings)}>{plural(detail.findings.length, "finding")}</Badge>
          )}
          {onImpact && (
            <button
              type="button"
              className="ln-button"
              onClick={() => {
                onImpact(dataset.id, column);
              }}
            >
              Impact of {column === null ? "a change" : "the column"}
            </button>
          )}
        </p>
      </header>
      <Tabs
        label="About the dataset"
        selected={tab}
        onSelect={onTab}
        tabs={[
          { id: "schema", label: "Schema" },
          ...(detail.sql ? [{ id: "sql", label: "SQL" }] : []),
          { id: "quality", label: "Quality", count: failed, tone: "error" },
          { id: "runs", label: "Runs" },
          { id: "findings", label: "Findings", count: detail.findings.length, tone: worst(detail.findings) },
          { id: "about", label: "About" },
        ]}
      >
        <Content {...props} />
      </Tabs>
    </div>
  );
}

/** The tone of the worst of some findings. */
function worst(findings: readonly Finding[]): Tone {
  return (
    (["error", "warning"] as const).find((severity) => findings.some((one) => one.severity === severity)) ?? "info"
  );
}

function Content({ detail, edges, column, tab, onColumn, onDataset, onRun }: DatasetPanelProps) {
  if (tab === "sql" && detail.sql) {
    const into = edges.filter((edge) => edge.target.dataset === detail.dataset.id && edge.target.column === column);
    return (
      <SqlView
        sql={detail.sql.text}
        dialect={detail.sql.dialect}
        columns={detail.columns.map((item) => item.name)}
        column={column}
        expression={into.find((edge) => edge.expression !== null)?.expression ?? null}
        onColumn={onColumn}
      />
    );
  }
  if (tab === "quality") return <Quality checks={detail.checks} column={column} />;
  if (tab === "runs") return <RunHistory runs={detail.runs} onRun={onRun} />;
  if (tab === "findings") {
    return (
      <FindingList
        findings={detail.findings}
        shown={detail.dataset.id}
        onDataset={onDataset}
        empty="No finding is about this dataset."
      />
    );
  }
  if (tab === "about") return <About detail={detail} onDataset={onDataset} />;
  return <Schema detail={detail} edges={edges} column={column} onColumn={onColumn} />;
}
