import type { RunRef } from "../api/source";

interface Props {
  run: RunRef;
  dataset: string;
  column: string | null;
  onClose: () => void;
}

/** What is known about the selected dataset, beside the graph. */
export function SidePanel({ dataset, onClose }: Props) {
  return (
    <aside className="ln-side" aria-label={`Details of ${dataset}`}>
      <h2>{dataset}</h2>
      <button type="button" className="ln-button" onClick={onClose}>
        Close
      </button>
    </aside>
  );
}
