/** An item of a rank: a node, or the place where an edge passes. */
export interface Item {
  key: string;
  height: number;
}

/** A piece of an edge between two ranks. */
export interface Segment {
  source: string;
  target: string;
}

/** The items before and after each item, by its segments. */
export function neighbours(segments: readonly Segment[]): { before: Map<string, string[]>; after: Map<string, string[]> } {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  const add = (map: Map<string, string[]>, key: string, value: string) => {
    const list = map.get(key);
    if (list) list.push(value);
    else map.set(key, [value]);
  };
  for (const { source, target } of segments) {
    add(before, target, source);
    add(after, source, target);
  }
  return { before, after };
}
