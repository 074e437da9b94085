import type { ReactNode } from "react";

export type Tone = "error" | "warning" | "ok" | "info" | "muted";

const SIGNS: Record<Tone, string> = { error: "✕", warning: "!", ok: "✓", info: "i", muted: "–" };

/** A short state: told apart by its sign and its word, not by colour alone. */
export function Badge({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }) {
  return (
    <span className={`ln-badge ln-tone-${tone}`} title={title}>
      <span aria-hidden="true" className="ln-badge-sign">
        {SIGNS[tone]}
      </span>
      {children}
    </span>
  );
}

const TONES: Record<string, Tone> = {
  success: "ok",
  ok: "ok",
  pass: "ok",
  failed: "error",
  error: "error",
  fail: "error",
  drift: "error",
  upstream_failed: "error",
  missing: "error",
  undeclared: "error",
  warn: "warning",
  warning: "warning",
  through: "info",
  running: "info",
  info: "info",
  saved: "info",
  verified: "ok",
};

/** The tone of a state of a run, job, edge or finding; unknown states are neutral. */
export function toneOf(state: string): Tone {
  return TONES[state.toLowerCase()] ?? "muted";
}
