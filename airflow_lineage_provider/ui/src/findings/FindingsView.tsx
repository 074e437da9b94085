import type { Finding, RunSummary } from "../api/types";
import { FilterForm } from "../common/FilterForm";
import { plural, words } from "../common/format";
import { Select } from "../common/Select";
import { FindingList } from "./FindingList";
import { RunStrip } from "./RunStrip";

export interface FindingFilter {
  text: string;
  severity: string;
  code: string;
}

const SEVERITIES = ["error", "warning", "info"];

export const NO_FILTER: FindingFilter = { text: "", severity: "", code: "" };

export interface FindingsViewProps {
  findings: readonly Finding[];
  runs: readonly RunSummary[];
  run: RunSummary;
  filter: FindingFilter;
  onFilter: (filter: FindingFilter) => void;
  onDataset: (dataset: string, column?: string) => void;
  onRun: (runId: string) => void;
  onFailedJobs: () => void;
}

/** The findings of a run, filtered, below a strip of the last runs. */
export function FindingsView({
  findings,
  runs,
  run,
  filter,
  onFilter,
  onDataset,
  onRun,
  onFailedJobs,
}: FindingsViewProps) {
  const shown = filterFindings(findings, filter);
  return (
    <section className="ln-page" aria-label="Findings">
      <RunStrip runs={runs} selected={run.run_id} onRun={onRun} />
      {findings.length > 0 && <Filters findings={findings} filter={filter} onFilter={onFilter} />}
      <p role="status" className="ln-muted">
        {shown.length === findings.length
          ? plural(findings.length, "finding")
          : `${shown.length} of ${plural(findings.length, "finding")}`}
      </p>
      <FindingList findings={shown} onDataset={onDataset} empty={emptyText(findings, run)} />
      {run.outcome === null && run.state === "failed" && (
        <button type="button" className="ln-button" onClick={onFailedJobs}>
          Show the jobs that failed
        </button>
      )}
    </section>
  );
}

function emptyText(findings: readonly Finding[], run: RunSummary): string {
  if (findings.length) return "No finding matches the filter.";
  if (run.outcome === null && run.state === "failed") return "The run failed before it was compared with a map.";
  if (run.outcome === null) {
    return "This run has not been compared with a map. The validation at the end of the DAG does that; until it has run, there are no findings.";
  }
  return "No findings: what flowed is what the map documents.";
}

/** The findings that match all parts of a filter; the text is looked for in all that a finding says. */
export function filterFindings(findings: readonly Finding[], filter: FindingFilter): Finding[] {
  const text = filter.text.trim().toLowerCase();
  return findings.filter(
    (finding) =>
      (!filter.severity || finding.severity === filter.severity) &&
      (!filter.code || finding.code === filter.code) &&
      (!text || searched(finding).includes(text)),
  );
}

function searched(finding: Finding): string {
  const { code, subject, message, documented, observed, source } = finding;
  const line = source && `${source.file}:${source.line}`;
  return [code, subject, message, documented, observed, line].join("\n").toLowerCase();
}

type FilterProps = Pick<FindingsViewProps, "findings" | "filter" | "onFilter">;

function Filters({ findings, filter, onFilter }: FilterProps) {
  const codes = [...new Set(findings.map((finding) => finding.code))].sort();
  return (
    <FilterForm
      text={filter.text}
      placeholder="dataset, column, text"
      onText={(text) => {
        onFilter({ ...filter, text });
      }}
    >
      <Select
        label="Severity"
        value={filter.severity}
        options={[["", "all"], ...SEVERITIES.map((severity) => [severity, severity] as const)]}
        onChange={(severity) => {
          onFilter({ ...filter, severity });
        }}
      />
      <Select
        label="Kind"
        value={filter.code}
        options={[["", "all"], ...codes.map((code) => [code, words(code)] as const)]}
        onChange={(code) => {
          onFilter({ ...filter, code });
        }}
      />
    </FilterForm>
  );
}
