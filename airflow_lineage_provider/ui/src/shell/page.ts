import type { RunRef } from "../api/source";
import type { View } from "./view";

/** What each tab's component takes. */
export interface PageProps {
  run: RunRef;
  view: View;
  /** The task whose tab this is, or null. */
  taskId: string | null;
}
