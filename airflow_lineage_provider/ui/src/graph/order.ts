import { type Item, neighbours, type Segment } from "./ranks";

const SWEEPS = 8;

/** How many pairs of segments cross, where `position` is the place of each item in its rank. */
export function crossings(ranks: readonly Item[][], segments: readonly Segment[]): number {
  const position = new Map<string, number>();
  ranks.forEach((rank) => {
    rank.forEach(({ key }, index) => position.set(key, index));
  });
  const { after } = neighbours(segments);
  let count = 0;
  for (const rank of ranks) {
    // Targets in the order of their sources; a pair in the wrong order is a crossing. Counted by a binary indexed tree.
    const targets = rank.flatMap(({ key }) => (after.get(key) ?? []).map((target) => position.get(target) ?? 0).sort((a, b) => a - b));
    const size = Math.max(0, ...targets) + 2;
    const tree = new Int32Array(size + 1);
    targets.forEach((target, seen) => {
      let notAbove = 0;
      for (let index = target + 1; index > 0; index -= index & -index) notAbove += tree[index] ?? 0;
      count += seen - notAbove;
      for (let index = target + 1; index <= size; index += index & -index) tree[index] = (tree[index] ?? 0) + 1;
    });
  }
  return count;
}

/** Order the items of each rank by the mean place of their neighbours, to and fro; the order with the fewest crossings. */
export function orderRanks(ranks: readonly Item[][], segments: readonly Segment[]): Item[][] {
  const { before, after } = neighbours(segments);
  let current = ranks.map((rank) => [...rank]);
  let best = current;
  let fewest = crossings(current, segments);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    current = sweepOnce(current, sweep % 2 === 0 ? before : after, sweep % 2 === 0);
    const count = crossings(current, segments);
    if (count < fewest) [best, fewest] = [current, count];
  }
  return best;
}

function sweepOnce(ranks: readonly Item[][], links: Map<string, string[]>, forward: boolean): Item[][] {
  // Places between 0 and 1, so that ranks of different lengths compare.
  const place = new Map<string, number>();
  const remember = (rank: readonly Item[]) => {
    rank.forEach(({ key }, index) => place.set(key, (index + 0.5) / rank.length));
  };
  ranks.forEach(remember);
  const result = ranks.map((rank) => [...rank]);
  const indexes = result.map((_, index) => index);
  for (const index of forward ? indexes : indexes.reverse()) {
    const rank = result[index] ?? [];
    const wanted = new Map<string, number>();
    for (const { key } of rank) {
      const others = links.get(key) ?? [];
      const sum = others.reduce((total, other) => total + (place.get(other) ?? 0), 0);
      wanted.set(key, others.length > 0 ? sum / others.length : (place.get(key) ?? 0));
    }
    rank.sort((a, b) => (wanted.get(a.key) ?? 0) - (wanted.get(b.key) ?? 0));
    remember(rank);
  }
  return result;
}
