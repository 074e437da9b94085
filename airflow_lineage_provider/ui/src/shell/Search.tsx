import { useEffect, useId, useRef, useState } from "react";
import { useSearch } from "../api/hooks";
import type { RunRef } from "../api/source";
import type { SearchItem } from "../api/types";
import { useNavigate } from "./view";

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

/** The API refuses a longer text. */
const MAX_TEXT = 500;

/** Find a dataset or a column; a column opens its whole path. `/` goes to it from anywhere on the page. */
export function Search({ run }: { run: RunRef }) {
  const navigate = useNavigate();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [index, setIndex] = useState(0);
  const answer = useSearch(run, text.trim());
  const items = text.trim() === "" ? [] : (answer.data ?? []);
  const current = Math.min(index, items.length - 1);

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key !== "/" || isTyping(event.target)) return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener("keydown", press);
    return () => {
      document.removeEventListener("keydown", press);
    };
  }, []);

  const choose = (item: SearchItem) => {
    setOpen(false);
    setText("");
    navigate({ tab: "graph", dataset: item.dataset, column: item.column, focus: null, all: false, list: false });
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => { setIndex(Math.min(current + 1, items.length - 1)); },
    ArrowUp: () => { setIndex(Math.max(current - 1, 0)); },
    Escape: () => { setOpen(false); },
    Enter: () => {
      const item = items[current];
      if (item) choose(item);
    },
  };
  const shown = open && text.trim() !== "";
  return (
    <div className="ln-search">
      <input
        ref={input}
        type="search"
        maxLength={MAX_TEXT}
        role="combobox"
        placeholder="Find a dataset or column ( / )"
        aria-label="Find a dataset or column"
        aria-expanded={shown && items.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && items.length > 0 ? `${id}-${current}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setIndex(0);
          setOpen(true);
        }}
        onBlur={() => {
          setOpen(false);
        }}
        onFocus={() => {
          setOpen(true);
        }}
        onKeyDown={(event) => {
          const action = keys[event.key];
          if (!action) return;
          event.preventDefault();
          action();
        }}
      />
      <div id={`${id}-list`} role="listbox" aria-label="Found" className="ln-found" hidden={!shown || items.length === 0}>
        {items.map((item, place) => (
          // Keys are the combobox's; an option has no focus of its own.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={JSON.stringify([item.dataset, item.column])}
            id={`${id}-${place}`}
            role="option"
            tabIndex={-1}
            aria-selected={place === current}
            onMouseDown={(event) => {
              event.preventDefault();
            }}
            onClick={() => {
              choose(item);
            }}
          >
            <span>{item.column ?? item.label}</span>
            <small>{item.column === null ? "dataset" : item.dataset}</small>
          </div>
        ))}
      </div>
      <span role="status" className={shown && items.length === 0 ? "ln-found-none" : "ln-sr"}>
        {!shown ? "" : answer.isError ? answer.error.message : answer.isFetching ? "" : items.length === 0 ? "Nothing found" : `${items.length} found`}
      </span>
    </div>
  );
}
