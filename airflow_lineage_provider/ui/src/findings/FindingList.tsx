import type { Finding } from "../api/types";
import { Badge, toneOf } from "../common/Badge";
import { words } from "../common/format";
import { Name } from "../common/Name";
import { Accept } from "./Accept";

interface Props {
  /** The dataset on whose page they stand: no link leads to it. */
  shown?: string;
  findings: readonly Finding[];
  onDataset: (dataset: string, column?: string) => void;
  /** Said when there is no finding. */
  empty: string;
}

/** Findings, each with both sides, the line of the map, and a way to accept it. */
export function FindingList({ findings, shown, onDataset, empty }: Props) {
  if (!findings.length) return <p className="ln-muted">{empty}</p>;
  return (
    <ul className="ln-findings">
      {findings.map((finding, index) => (
        <li key={`${finding.code} ${finding.subject} ${index}`} className={`ln-finding ln-edge-${finding.severity}`}>
          <FindingCard finding={finding} isShown={finding.dataset === shown} onDataset={onDataset} />
        </li>
      ))}
    </ul>
  );
}

interface CardProps {
  finding: Finding;
  isShown: boolean;
  onDataset: Props["onDataset"];
}

function FindingCard({ finding, isShown, onDataset }: CardProps) {
  const { dataset, column, source } = finding;
  return (
    <>
      <p className="ln-finding-head">
        <Badge tone={toneOf(finding.severity)}>{finding.severity}</Badge>
        <strong>{words(finding.code)}</strong>
        <Name className="ln-subject" text={finding.subject} />
      </p>
      <p className="ln-break">
        <bdi>{finding.message}</bdi>
      </p>
      {(finding.documented !== null || finding.observed !== null) && (
        <dl className="ln-sides">
          <dt>Documented</dt>
          <dd>
            {finding.documented === null ? <span className="ln-muted">nothing</span> : <bdi>{finding.documented}</bdi>}
          </dd>
          <dt>Observed</dt>
          <dd>
            {finding.observed === null ? <span className="ln-muted">nothing</span> : <bdi>{finding.observed}</bdi>}
          </dd>
        </dl>
      )}
      <p className="ln-finding-links">
        {dataset !== null && !isShown && (
          <button
            type="button"
            className="ln-button"
            onClick={() => {
              onDataset(dataset);
            }}
          >
            Show dataset
          </button>
        )}
        {dataset !== null && column !== null && (
          <button
            type="button"
            className="ln-button"
            onClick={() => {
              onDataset(dataset, column);
            }}
          >
            Show path of the column
          </button>
        )}
        {source !== null && finding.documented !== `${source.file}:${source.line}` && (
          <span className="ln-muted">
            map <Name className="ln-code-text" text={`${source.file}:${source.line}`} />
          </span>
        )}
      </p>
      {finding.accept && <Accept snippet={finding.accept} />}
    </>
  );
}
