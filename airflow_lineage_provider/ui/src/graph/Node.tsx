import { memo } from "react";
import type { Column, ColumnKnown } from "../api/types";
import { rowTop } from "./geometry";
import { NODE_HEIGHT, NODE_WIDTH, type Point } from "./layout";
import { COLUMN_HEIGHT, type DrawnNode } from "./model";
import { LINEAGE_LABELS, RUN_STATES } from "./states";
import { fit, textWidth } from "./text";

const ICONS: Record<string, string> = {
  table: "M1 2h14v12H1zM1 6h14M6 6v8",
  view: "M1 8q7-9 14 0q-7 9-14 0M8 6a2 2 0 1 0 .01 0",
  topic: "M1 3h10M1 8h14M1 13h7",
  file: "M3 1h7l3 4v10H3zM10 1v4h3",
  dashboard: "M1 15h14M3 15V9M8 15V3M13 15V6",
  model: "M8 1l6 3.5v7L8 15l-6-3.5v-7z",
};
const ALIASES: Record<string, string> = { feature_view: "model", feature_service: "model", lane: "topic" };

const iconOf = (kind: string) => ICONS[kind] ?? ICONS[ALIASES[kind] ?? ""] ?? ICONS.table;

/** Known: a full disc; in part: half of one; unknown: an empty ring; unobserved: a ring that is struck out. */
export function LineageMark({ known, x, y }: { known: ColumnKnown; x: number; y: number }) {
  return (
    <g className="ln-lineage-mark" transform={`translate(${x} ${y})`}>
      <title>{LINEAGE_LABELS[known]}</title>
      <circle r="4.5" className="ln-lineage-mark-ring" />
      {known === "known" && <circle r="4.5" className="ln-lineage-mark-fill" />}
      {known === "part" && <path d="M0 -4.5A4.5 4.5 0 0 0 0 4.5Z" className="ln-lineage-mark-fill" />}
      {known === "unobserved" && <path d="M-4.5 4.5L4.5 -4.5" className="ln-lineage-mark-ring" />}
    </g>
  );
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;

/** What a screen reader says of a node. */
export function nodeLabel(node: DrawnNode, up: number, down: number): string {
  const hops = `${up} upstream, ${down} downstream`;
  if (!node.dataset) return `${node.label}, collapsed, ${count(node.members, "dataset")}, ${hops}`;
  const { kind, columns, column_lineage, state, findings, lane } = node.dataset;
  const parts = [node.label, `${kind} in ${lane}`, count(columns, "column"), LINEAGE_LABELS[column_lineage]];
  if (state !== "none") parts.push(RUN_STATES[state]?.label ?? state);
  if (findings > 0) parts.push(count(findings, "finding"));
  return [...parts, hops].join(", ");
}

interface Props {
  node: DrawnNode;
  at: Point;
  up: number;
  down: number;
  selected: boolean;
  /** The column that is selected, "" for none. */
  column: string;
  /** Whether Tab reaches the node: null for no, "" for its head, or a column. */
  tab: string | null;
  dim: boolean;
}

export const NodeShape = memo(function NodeShape({ node, at, up, down, selected, column, tab, dim }: Props) {
  const { dataset } = node;
  const className = ["ln-node", selected && "ln-node-selected", dim && "ln-node-dim", dataset?.state === "failed" && "ln-failed"];
  return (
    <g className={className.filter(Boolean).join(" ")} transform={`translate(${at.x} ${at.y})`}>
      <rect className="ln-node-card" width={NODE_WIDTH} height={node.height} rx="7" />
      <g
        role="button"
        tabIndex={tab === "" ? 0 : -1}
        aria-label={nodeLabel(node, up, down)}
        aria-pressed={selected}
        data-node={node.id}
        className="ln-head"
      >
        <title>{dataset?.description ? `${node.label}\n${dataset.description}` : node.label}</title>
        <rect className="ln-hit" width={NODE_WIDTH} height={NODE_HEIGHT} rx="7" />
      </g>
      {/* Beside the button: its label says all of it, and what is drawn is cut to the node's width. */}
      <g aria-hidden="true" className="ln-drawn">
        <path className="ln-icon" d={iconOf(dataset?.kind ?? "lane")} transform="translate(10 8)" />
        <text className="ln-label" x="34" y="20">
          {fit(node.label, NODE_WIDTH - 44, "label")}
        </text>
        <text className="ln-meta" x="34" y="38">
          {dataset ? fit(`${dataset.kind} \u00b7 ${count(dataset.columns, "column")}`, 122, "small") : count(node.members, "dataset")}
        </text>
        {dataset && <NodeSigns node={node} />}
      </g>
      {(dataset === null || dataset.columns > 0) && <Toggle node={node} />}
      {node.rows.map((row, index) => (
        <Row key={row.name} node={node.id} row={row} index={index} selected={row.name === column} tab={tab === row.name} />
      ))}
      {node.more > 0 && (
        <text className="ln-meta" x="24" y={rowTop(node.rows.length) + 15}>
          {`${node.more} more in the side panel`}
        </text>
      )}
    </g>
  );
});

function NodeSigns({ node }: { node: DrawnNode }) {
  if (!node.dataset) return null;
  const { state, findings, gravest, column_lineage } = node.dataset;
  return (
    <>
      {RUN_STATES[state]?.sign && (
        <text className={`ln-run-state ln-run-state-${state}`} x={NODE_WIDTH - 56} y="38" textAnchor="middle">
          {RUN_STATES[state].sign}
        </text>
      )}
      <LineageMark known={column_lineage} x={NODE_WIDTH - 40} y={34} />
      {findings > 0 && (
        <g className={`ln-node-badge ln-node-badge-${gravest ?? "info"}`} transform={`translate(${NODE_WIDTH - 34} -9)`}>
          <rect width="34" height="18" rx="9" />
          <text x="17" y="13" textAnchor="middle">
            {findings > 99 ? "99+" : `${gravest === "info" ? "i" : "!"} ${findings}`}
          </text>
        </g>
      )}
    </>
  );
}

function Toggle({ node }: { node: DrawnNode }) {
  const open = node.rows.length > 0;
  const what = node.dataset === null ? "Expand" : open ? "Hide columns of" : "Show columns of";
  return (
    <g
      role="button"
      tabIndex={-1}
      aria-label={`${what} ${node.label}`}
      data-toggle={node.id}
      className="ln-toggle"
      transform={`translate(${NODE_WIDTH - 28} 22)`}
    >
      <rect className="ln-hit" width="24" height="24" rx="5" />
      <path className="ln-icon" d={open ? "M7 14l5-5l5 5" : "M7 10l5 5l5-5"} />
    </g>
  );
}

/** Where no column lineage is known, an edge is of all columns. */
const columnLabel = (name: string) => (name === "*" ? "all columns" : name);

interface RowProps {
  node: string;
  row: Column;
  index: number;
  selected: boolean;
  tab: boolean;
}

function Row({ node, row, index, selected, tab }: RowProps) {
  const findings = row.findings > 0 ? `, ${count(row.findings, "finding")}` : "";
  const name = fit(columnLabel(row.name), 150, "small");
  const left = NODE_WIDTH - 44 - textWidth(name, "small");
  return (
    <g className={selected ? "ln-row ln-row-selected" : "ln-row"} transform={`translate(0 ${rowTop(index)})`}>
      <g
        role="button"
        tabIndex={tab ? 0 : -1}
        aria-label={`${columnLabel(row.name)}, column, ${row.type ?? "type unknown"}, ${LINEAGE_LABELS[row.lineage]}${findings}`}
        aria-pressed={selected}
        data-node={node}
        data-column={row.name}
      >
        <title>{`${row.name}${row.type === null ? "" : ` ${row.type}`}`}</title>
        <rect className="ln-hit" x="3" width={NODE_WIDTH - 6} height={COLUMN_HEIGHT} rx="4" />
      </g>
      <g aria-hidden="true" className="ln-drawn">
        <LineageMark known={row.lineage} x={14} y={COLUMN_HEIGHT / 2} />
        <text className="ln-column" x="26" y="15">
          {name}
        </text>
        <text className="ln-column-type" x={NODE_WIDTH - 10} y="15" textAnchor="end">
          {row.findings > 0 ? (row.gravest === "info" ? "i " : "! ") : ""}
          {left > 24 && fit(row.type ?? "", left, "small")}
        </text>
      </g>
    </g>
  );
}
