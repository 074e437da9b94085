/**
 * The YAML that accepts a finding, with a reason and the last day on which it is accepted.
 *
 * `snippet` is the API's: the lines of `reason` and `until` in it are replaced. A reason is written as a
 * double-quoted scalar: JSON's strings are YAML's.
 */
export function acceptSnippet(snippet: string, reason: string, until: string): string {
  return snippet
    .replace(/^(\s*(?:- )?reason:).*$/m, (_, key: string) => `${key} ${JSON.stringify(reason)}`)
    .replace(/^(\s*(?:- )?until:).*$/m, (_, key: string) => `${key} ${until}`);
}

/** The day so many days after another, such as `2026-12-31`. */
export function dayAfter(day: Date, days: number): string {
  const later = new Date(Date.UTC(day.getFullYear(), day.getMonth(), day.getDate() + days));
  return later.toISOString().slice(0, 10);
}
