import { type Item, neighbours, type Segment } from "./ranks";

const SWEEPS = 6;

/**
 * The tops of a rank's items, in their order and without overlap, nearest to the wanted tops by least squares: isotonic
 * regression (pool adjacent violators) of what is wanted less the room that the items above take.
 */
export function settle(items: readonly Item[], wanted: readonly number[], gap: number): number[] {
  const blocks: { sum: number; count: number }[] = [];
  const offsets: number[] = [];
  let offset = 0;
  items.forEach((item, index) => {
    offsets.push(offset);
    let block = { sum: (wanted[index] ?? 0) - offset, count: 1 };
    offset += item.height + gap;
    for (let above = blocks.at(-1); above && above.sum / above.count >= block.sum / block.count; above = blocks.at(-1)) {
      blocks.pop();
      block = { sum: above.sum + block.sum, count: above.count + block.count };
    }
    blocks.push(block);
  });
  const levels = blocks.flatMap(({ sum, count }) => Array.from({ length: count }, () => sum / count));
  return levels.map((level, index) => level + (offsets[index] ?? 0));
}

/** The top of each item, so that edges run straight where they can. The uppermost is at 0. */
export function placeRanks(ranks: readonly Item[][], segments: readonly Segment[], gap: number): Map<string, number> {
  const { before, after } = neighbours(segments);
  const top = new Map<string, number>();
  const height = new Map<string, number>();
  for (const rank of ranks) {
    let y = 0;
    for (const item of rank) {
      top.set(item.key, y);
      height.set(item.key, item.height);
      y += item.height + gap;
    }
  }
  const middle = (key: string) => (top.get(key) ?? 0) + (height.get(key) ?? 0) / 2;
  const align = (rank: readonly Item[], links: Map<string, string[]>) => {
    const wanted = rank.map(({ key, height: own }) => {
      const others = links.get(key);
      if (!others) return top.get(key) ?? 0;
      return others.reduce((sum, other) => sum + middle(other), 0) / others.length - own / 2;
    });
    settle(rank, wanted, gap).forEach((y, index) => {
      const item = rank[index];
      if (item) top.set(item.key, y);
    });
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    if (sweep % 2 === 0) for (const rank of ranks) align(rank, before);
    else for (const rank of [...ranks].reverse()) align(rank, after);
  }
  let lowest = Infinity;
  for (const y of top.values()) lowest = Math.min(lowest, y);
  for (const [key, y] of top) top.set(key, y - lowest);
  return top;
}
