import type { KeyboardEvent } from "react";

const STEPS: Record<string, (at: number, of: number) => number> = {
  ArrowRight: (at, of) => (at + 1) % of,
  ArrowLeft: (at, of) => (at + of - 1) % of,
  Home: () => 0,
  End: (_, of) => of - 1,
};

/**
 * Move the focus from an item of a toolbar or a list of tabs to another by arrow keys, Home and End.
 *
 * Returns the index of the item that has the focus now, or null if the key is none of these.
 */
export function moveFocus(event: KeyboardEvent<HTMLElement>): number | null {
  const items = [...(event.currentTarget.parentElement?.children ?? [])];
  const at = items.indexOf(event.currentTarget);
  const step = STEPS[event.key];
  if (!step || at < 0) return null;
  event.preventDefault();
  const next = step(at, items.length);
  const item = items[next];
  if (item instanceof HTMLElement) item.focus();
  return next;
}
