import { Fragment } from "react";
import { Badge } from "../common/Badge";
import { time } from "../common/format";
import { ColumnName, Name } from "../common/Name";
import { Scroll } from "../common/Scroll";
import type { ColumnEdge, DatasetDetail } from "../api/types";

interface Props {
  detail: DatasetDetail;
  /** Edges into and out of the dataset's columns. */
  edges: readonly ColumnEdge[];
  column: string | null;
  onColumn: (column: string) => void;
}

/** The columns with types, documented types and their history; a click on a name shows the column's path. */
export function Schema({ detail, edges, column, onColumn }: Props) {
  if (!detail.columns.length) {
    return <p className="ln-muted">No columns are known: neither the map nor an event of this run names any.</p>;
  }
  return (
    <Scroll label="Columns">
      <table className="ln-table ln-schema">
        <caption className="ln-sr">Columns of {detail.dataset.label}</caption>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Type</th>
            <th scope="col">Lineage</th>
          </tr>
        </thead>
        <tbody>
          {detail.columns.map((item) => (
            <Fragment key={item.name}>
              <tr className={item.name === column ? "ln-selected" : undefined}>
                <th scope="row">
                  <button
                    type="button"
                    className="ln-link"
                    aria-pressed={item.name === column}
                    onClick={() => {
                      onColumn(item.name);
                    }}
                  >
                    <Name text={item.name} />
                  </button>
                  {item.findings > 0 && <Badge tone={item.gravest ?? "info"}>{item.findings}</Badge>}
                  {item.description && <Name className="ln-muted ln-note" text={item.description} />}
                </th>
                <td>
                  <ColumnType item={item} />
                  <History detail={detail} column={item.name} />
                </td>
                <td>
                  <LineageKnown lineage={item.lineage} />
                </td>
              </tr>
              {item.name === column && <Sources edges={edges} dataset={detail.dataset.id} column={item.name} />}
            </Fragment>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function ColumnType({ item: { type, documented_type: documented } }: { item: DatasetDetail["columns"][number] }) {
  const differs = documented !== null && (type === null || !sameType(type, documented));
  return (
    <span className="ln-stack">
      {type !== null && <Name className="ln-type" text={type} />}
      {differs && (
        <span className="ln-muted">
          documented: <Name className="ln-type" text={documented} />
        </span>
      )}
      {type === null && documented === null && <span className="ln-muted">–</span>}
    </span>
  );
}

function sameType(left: string, right: string): boolean {
  const plain = (type: string) => type.toLowerCase().replace(/\s+/g, "");
  return plain(left) === plain(right);
}

function History({ detail, column }: { detail: DatasetDetail; column: string }) {
  const changes = detail.type_history.find((item) => item.column === column)?.changes ?? [];
  if (changes.length < 2) return null;
  return (
    <details>
      <summary>{changes.length - 1 === 1 ? "1 change" : `${changes.length - 1} changes`}</summary>
      <ul className="ln-list">
        {changes.map((change) => (
          <li key={change.at}>
            <time dateTime={change.at}>{time(change.at)}</time>{" "}
            {change.type === null ? "removed" : <Name className="ln-type" text={change.type} />}
          </li>
        ))}
      </ul>
    </details>
  );
}

const LINEAGE = {
  known: { tone: "ok", label: "known", title: "It is known which columns this column is made from" },
  part: { tone: "warning", label: "in part", title: "Only a part of the columns that it is made from is known" },
  unknown: { tone: "muted", label: "not known", title: "It is not known which columns this column is made from" },
  unobserved: { tone: "warning", label: "not observed", title: "The map documents this column, and the table had no such column in this run" },
} as const;

/** Whether column lineage is known for a column or a dataset. */
export function LineageKnown({ lineage }: { lineage: keyof typeof LINEAGE }) {
  const { tone, label, title } = LINEAGE[lineage];
  return (
    <Badge tone={tone} title={title}>
      {label}
    </Badge>
  );
}

function Sources({ edges, dataset, column }: { edges: readonly ColumnEdge[]; dataset: string; column: string }) {
  const into = edges.filter((edge) => edge.target.dataset === dataset && edge.target.column === column);
  if (!into.length) return null;
  return (
    <tr className="ln-selected">
      <td colSpan={3}>
        <ul className="ln-list" aria-label={`Columns that ${column} is made from`}>
          {into.map((edge) => (
            <li key={`${edge.source.dataset} ${edge.source.column} ${edge.kind}`}>
              <span aria-hidden="true">←</span>
              <ColumnName {...edge.source} />
              <span className="ln-muted">{edge.kind}</span>
              {edge.expression !== null && <Name className="ln-type ln-muted ln-line" text={edge.expression} />}
            </li>
          ))}
        </ul>
      </td>
    </tr>
  );
}
