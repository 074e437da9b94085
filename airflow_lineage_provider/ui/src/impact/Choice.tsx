import type { Change, Dataset } from "../api/types";
import { Select } from "../common/Select";

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

const CHANGES: readonly (readonly [Change, string])[] = [
  ["removed", "is removed"],
  ["renamed", "is renamed"],
  ["retyped", "gets another type"],
];

const named = (names: readonly string[]) => names.map((name) => [name, name] as const);

/** Chooses a dataset, its column, and what happens to it. */
export function Choice({ datasets, columns, dataset, column, change, onChange, onColumn }: Props) {
  const ids = datasets.map((item) => item.id).sort();
  return (
    <div className="ln-toolbar">
      <Select
        label="Dataset"
        value={dataset ?? ""}
        options={[["", "choose"], ...named(ids)]}
        onChange={(name) => {
          onColumn(name || null, null);
        }}
      />
      <Select
        label="Column"
        value={column ?? ""}
        options={[["", columns?.length === 0 ? "no columns known" : "choose"], ...named(columns ?? [])]}
        disabled={dataset === null || columns === null}
        onChange={(name) => {
          onColumn(dataset, name || null);
        }}
      />
      <Select label="Change" value={change} options={CHANGES} onChange={onChange} />
    </div>
  );
}
