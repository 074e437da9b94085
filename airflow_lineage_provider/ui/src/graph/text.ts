/** Text that fits a width, in the drawing's fonts: SVG has no ellipsis. */

export type Font = "label" | "small";
const FONTS: Record<Font, { css: string; width: number }> = {
  label: { css: "600 13px Inter, system-ui, sans-serif", width: 7.2 },
  small: { css: "400 11.5px Inter, system-ui, sans-serif", width: 6 },
};

let context: CanvasRenderingContext2D | null | undefined;
const widths: Record<Font, Map<string, number>> = { label: new Map(), small: new Map() };
const MAX_CACHED = 20_000;

/** The width of a text in the drawing's units. */
export function textWidth(text: string, font: Font): number {
  if (context === undefined) {
    context = navigator.userAgent.includes("jsdom") ? null : document.createElement("canvas").getContext("2d");
  }
  if (!context) return text.length * FONTS[font].width;
  const cache = widths[font];
  let width = cache.get(text);
  if (width === undefined) {
    context.font = FONTS[font].css;
    width = context.measureText(text).width;
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(text, width);
  }
  return width;
}

const splitter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The text, or its beginning with an ellipsis. Cut between what a reader sees as characters, so that emoji stay whole. */
export function fit(text: string, width: number, font: Font): string {
  const line = text.length > 200 ? text.slice(0, 200) : text;
  if (line === text && textWidth(text, font) <= width) return text;
  const characters = [...splitter.segment(line)].map((part) => part.segment);
  let [low, high] = [0, characters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (textWidth(`${characters.slice(0, middle).join("")}\u2026`, font) <= width) low = middle;
    else high = middle - 1;
  }
  return `${characters.slice(0, low).join("")}\u2026`;
}
