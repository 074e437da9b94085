import type { PageProps } from "../shell/page";

export function FindingsTab({ run }: PageProps) {
  return <p>{run.dag}</p>;
}
