import type { PageProps } from "../shell/page";

export function RunsTab({ run }: PageProps) {
  return <p>{run.dag}</p>;
}
