import type { ImpactAnswer } from "../api/types";

export type ImpactItem = ImpactAnswer["items"][number];

/** A dataset or column that a change reaches, and what it is passed on to from there. */
export interface ImpactNode {
  id: string;
  item: ImpactItem;
  children: ImpactNode[];
}

/** The name by which an item is named in `via` of the items below it. */
export function idOf(item: ImpactItem): string {
  return item.column === null ? item.dataset : `${item.dataset}.${item.column}`;
}

/** The items as trees: each below the item that its `via` names one level up, or at the root if none does. */
export function impactTrees(items: readonly ImpactItem[]): ImpactNode[] {
  const roots: ImpactNode[] = [];
  const nodes = new Map<string, ImpactNode>();
  for (const item of [...items].sort((left, right) => left.depth - right.depth)) {
    const node = { id: idOf(item), item, children: [] };
    const parent = nodes.get(item.via);
    if (parent && parent.item.depth < item.depth) parent.children.push(node);
    else roots.push(node);
    if (!nodes.has(node.id)) nodes.set(node.id, node);
  }
  return roots;
}

/** The owners to inform, each with the number of datasets of theirs that are reached, most first. */
export function ownersOf(items: readonly ImpactItem[]): [string, number][] {
  const owned = new Map<string, Set<string>>();
  for (const item of items) {
    for (const owner of item.owners) owned.set(owner, (owned.get(owner) ?? new Set()).add(item.dataset));
  }
  return [...owned]
    .map(([owner, datasets]): [string, number] => [owner, datasets.size])
    .sort(([left, many], [right, more]) => more - many || left.localeCompare(right));
}
