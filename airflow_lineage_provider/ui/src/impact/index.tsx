import type { PageProps } from "../shell/page";

export function ImpactTab({ run }: PageProps) {
  return <p>{run.dag}</p>;
}
