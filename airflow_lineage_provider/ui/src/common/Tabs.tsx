import { useId, type KeyboardEvent, type ReactNode } from "react";
import type { Tone } from "./Badge";
import { moveFocus } from "./roving";

export interface Tab {
  id: string;
  label: string;
  /** Shown behind the label, such as a number of findings. */
  count?: number;
  tone?: Tone;
}

interface Props {
  label: string;
  tabs: readonly Tab[];
  selected: string;
  onSelect: (id: string) => void;
  children: ReactNode;
}

/** Tabs and the panel of the selected one, by the keyboard pattern of ARIA: arrows, Home and End select. */
export function Tabs({ label, tabs, selected, onSelect, children }: Props) {
  const base = useId();
  const at = Math.max(
    0,
    tabs.findIndex((tab) => tab.id === selected),
  );
  const move = (event: KeyboardEvent<HTMLElement>) => {
    const next = moveFocus(event);
    const tab = next === null ? undefined : tabs[next];
    if (tab) onSelect(tab.id);
  };
  return (
    <>
      <div role="tablist" aria-label={label} className="ln-tabs">
        {tabs.map((tab, index) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${base}-${tab.id}`}
            aria-selected={index === at}
            aria-controls={`${base}-panel`}
            tabIndex={index === at ? 0 : -1}
            className="ln-tab"
            onKeyDown={move}
            onClick={() => {
              onSelect(tab.id);
            }}
          >
            {tab.label}
            {tab.count ? <span className={`ln-tab-count ln-tone-${tab.tone ?? "muted"}`}>{tab.count}</span> : null}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${base}-panel`}
        aria-labelledby={`${base}-${tabs[at]?.id ?? ""}`}
        className="ln-tabpanel"
      >
        {children}
      </div>
    </>
  );
}
