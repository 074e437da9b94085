import { useId } from "react";
import type { Change, Dataset } from "../api/types";

interface Props {
  datasets: readonly Dataset[];
  /** Null while they are not known. */
  columns: readonly string[] | null;
  dataset: string | null;
  column: string | null;
  change: Change;
  onChange: (change: Change) => void;
  onColumn: (dataset: string | null, column: string | null) => void;
}

const CHANGES: Record<Change, string> = { removed: "is removed", renamed: "is renamed", retyped: "gets another type" };

/** Chooses a dataset, its column, and what happens to it. */
export function Choice({ datasets, columns, dataset, column, change, onChange, onColumn }: Props) {
  const id = useId();
  const ids = datasets.map((item) => item.id).sort();
  return (
    <div className="ln-toolbar">
      <label htmlFor={`${id}-dataset`}>Dataset</label>
      <select
        id={`${id}-dataset`}
        value={dataset ?? ""}
        onChange={(event) => {
          onColumn(event.target.value || null, null);
        }}
      >
        <option value="">choose</option>
        {ids.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <label htmlFor={`${id}-column`}>Column</label>
      <select
        id={`${id}-column`}
        value={column ?? ""}
        disabled={dataset === null || columns === null}
        onChange={(event) => {
          onColumn(dataset, event.target.value || null);
        }}
      >
        <option value="">{columns?.length === 0 ? "no columns known" : "choose"}</option>
        {columns?.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <label htmlFor={`${id}-change`}>Change</label>
      <select
        id={`${id}-change`}
        value={change}
        onChange={(event) => {
          onChange(event.target.value as Change);
        }}
      >
        {Object.entries(CHANGES).map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
