import { useId, useState } from "react";
import { CopyButton } from "../common/CopyButton";
import { Scroll } from "../common/Scroll";
import { acceptSnippet, dayAfter } from "./accept";

/** Makes the YAML that accepts a finding for a time, to be committed to the map. */
export function Accept({ snippet }: { snippet: string }) {
  const id = useId();
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState(() => dayAfter(new Date(), 30));
  const yaml = acceptSnippet(snippet, reason, until);
  const missing = !reason.trim() ? "Give a reason." : !until ? "Give the last day." : null;
  return (
    <details className="ln-accept">
      <summary>Accept this finding for a time</summary>
      <div className="ln-form">
        <label htmlFor={`${id}-reason`}>Reason</label>
        <input
          id={`${id}-reason`}
          value={reason}
          maxLength={500}
          onChange={(event) => {
            setReason(event.target.value);
          }}
        />
        <label htmlFor={`${id}-until`}>Accepted until</label>
        <input
          id={`${id}-until`}
          type="date"
          value={until}
          onChange={(event) => {
            setUntil(event.target.value);
          }}
        />
      </div>
      <p className="ln-muted">
        Commit these lines to the map. The next run reports the finding as accepted until that day.
      </p>
      <Scroll label="YAML that accepts the finding" className="ln-code">
        <pre>{yaml}</pre>
      </Scroll>
      {missing === null ? <CopyButton text={yaml} label="Copy YAML" /> : <p className="ln-muted">{missing}</p>}
    </details>
  );
}
