import { LineageError } from "../api/source";

/** What keeps a page from showing data, each with something that its reader can do. */
export type ProblemKind =
  "no-store" | "empty-store" | "no-run" | "newer-store" | "offline" | "signed-out" | "forbidden" | "unexpected";

export interface Problem {
  kind: ProblemKind;
  /** What the server said, if it said something. */
  detail: string | null;
}

const KINDS: Record<number, ProblemKind> = {
  0: "offline",
  401: "signed-out",
  403: "forbidden",
  404: "no-run",
  409: "newer-store",
  502: "offline",
  503: "no-store",
  504: "offline",
};

/** The problem that an error of the data layer is. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof LineageError)) {
    return { kind: "unexpected", detail: error instanceof Error ? error.message : String(error) };
  }
  // Airflow answers 403 to a token that it cannot read, such as one of a server whose secret has changed.
  const isLost = error.status === 403 && error.message.startsWith("Invalid JWT");
  const isUnused = error.status === 503 && error.message.startsWith("There is no event store");
  const kind = isLost ? "signed-out" : isUnused ? "empty-store" : (KINDS[error.status] ?? "unexpected");
  return { kind, detail: kind === "offline" ? null : error.message };
}
