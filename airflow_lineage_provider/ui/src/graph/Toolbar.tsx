import { useState } from "react";
import { MAX_HOPS, useNavigate, type View } from "../shell/view";

interface Props {
  view: View;
  onZoom: (factor: number) => void;
  onFit: () => void;
  onExport: (kind: "svg" | "png") => void;
}

interface ButtonProps {
  label: string;
  text: string;
  pressed?: boolean;
  onClick: () => void;
}

function Button({ label, text, pressed, onClick }: ButtonProps) {
  // Who speaks what they see says the text of the button: its name begins with it.
  const name = /\p{L}/u.test(text) ? `${text}: ${label}` : label;
  return (
    <button type="button" className="ln-button" title={label} aria-label={name} aria-pressed={pressed} onClick={onClick}>
      {text}
    </button>
  );
}

function Hops({ label, value, onChange }: { label: string; value: number; onChange: (value: number) => void }) {
  return (
    <label className="ln-hops">
      {label}
      <input
        type="number"
        min="0"
        max={MAX_HOPS}
        value={value}
        onChange={(event) => {
          const number = event.target.valueAsNumber;
          if (Number.isInteger(number) && number >= 0) onChange(Math.min(number, MAX_HOPS));
        }}
      />
    </label>
  );
}

function CopyLink() {
  const [done, setDone] = useState<string | null>(null);
  return (
    <>
      <Button
        label="Copy a link to what is shown"
        text="Copy link"
        onClick={() => {
          navigator.clipboard.writeText(window.location.href).then(
            () => {
              setDone("Link copied");
            },
            () => {
              setDone("Copy the address of this page");
            },
          );
        }}
      />
      <span role="status" className="ln-done">
        {done}
      </span>
    </>
  );
}

/** Focus, zoom, export and the link of what is shown. */
export function Toolbar({ view, onZoom, onFit, onExport }: Props) {
  const navigate = useNavigate();
  const { dataset, column, focus, up, down, all, list } = view;
  return (
    <div className="ln-graph-toolbar" role="toolbar" aria-label="Graph">
      {column !== null && (
        <Button
          label={all ? "Show the column's path by itself" : "Show the column's path among all datasets"}
          text={all ? "Path only" : "Show all datasets"}
          onClick={() => {
            navigate({ all: !all });
          }}
        />
      )}
      {column === null && dataset !== null && dataset !== focus && (
        <Button
          label={`Show ${dataset} and its neighbours only`}
          text="Focus"
          onClick={() => {
            navigate({ focus: dataset });
          }}
        />
      )}
      {column === null && focus !== null && (
        <>
          <Hops
            label="Up"
            value={up}
            onChange={(value) => {
              navigate({ up: value });
            }}
          />
          <Hops
            label="Down"
            value={down}
            onChange={(value) => {
              navigate({ down: value });
            }}
          />
          <Button
            label="Show all datasets"
            text="Show all"
            onClick={() => {
              navigate({ focus: null });
            }}
          />
        </>
      )}
      <span className="ln-space" />
      <Button
        label={list ? "Show the graph" : "Show the edges as a table"}
        text={list ? "Graph" : "Table"}
        onClick={() => {
          navigate({ list: !list });
        }}
      />
      {!list && (
        <>
          <Button label="Zoom out" text="&minus;" onClick={() => { onZoom(0.8); }} />
          <Button label="Zoom in" text="+" onClick={() => { onZoom(1.25); }} />
          <Button label="Fit the graph to the page" text="Fit" onClick={onFit} />
          <Button label="Export as PNG" text="PNG" onClick={() => { onExport("png"); }} />
          <Button label="Export as SVG" text="SVG" onClick={() => { onExport("svg"); }} />
        </>
      )}
      <CopyLink />
    </div>
  );
}
