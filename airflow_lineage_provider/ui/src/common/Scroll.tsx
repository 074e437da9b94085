import type { ReactNode } from "react";

/** A region that scrolls sideways or down, by keyboard as well. */
export function Scroll({ label, className, children }: { label: string; className?: string; children: ReactNode }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- without it the keyboard cannot scroll
    <div role="region" aria-label={label} tabIndex={0} className={className ? `ln-scroll ${className}` : "ln-scroll"}>
      {children}
    </div>
  );
}
