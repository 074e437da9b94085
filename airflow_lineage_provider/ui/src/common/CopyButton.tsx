import { useState } from "react";
import { copyText } from "./clipboard";

/** Copies a text, and says whether that worked. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState("");
  const copy = async () => {
    setSaid((await copyText(text)) ? "Copied" : "Could not copy: select the text and press Ctrl+C");
  };
  return (
    <span className="ln-copy">
      <button type="button" className="ln-button" onClick={() => void copy()}>
        {label}
      </button>
      <span role="status" className="ln-muted">
        {said}
      </span>
    </span>
  );
}
