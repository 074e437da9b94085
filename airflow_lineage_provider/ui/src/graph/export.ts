import type { Box } from "./geometry";

/** A drawing as a file: every style becomes an attribute, so that any viewer shows it as the page does. */

const STYLES = [
  "fill",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-opacity",
  "font-family",
  "font-size",
  "font-weight",
];
const MARGIN = 24;
const MAX_PIXELS = 8192;

let pen: CanvasRenderingContext2D | null = null;

/** A colour in the notation of SVG 1.1: other viewers than browsers paint black what they cannot read. */
function plainColor(value: string): string {
  if (!/^(rgba|hsla?|okl[a-z]+|lab|lch|color)\(/.test(value)) return value;
  pen ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!pen) return value;
  pen.clearRect(0, 0, 1, 1);
  pen.fillStyle = value;
  pen.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, alpha = 0] = pen.getImageData(0, 0, 1, 1).data;
  return alpha === 0 ? "none" : `rgb(${red}, ${green}, ${blue})`;
}

function copyStyles(from: Element, to: Element): void {
  const style = getComputedStyle(from);
  for (const name of STYLES) {
    const value = style.getPropertyValue(name);
    if (value) to.setAttribute(name, plainColor(value));
  }
  for (const name of ["class", "tabindex", "role", "data-node", "data-column", "data-toggle"]) to.removeAttribute(name);
  for (let index = 0; index < from.children.length; index++) {
    const [a, b] = [from.children[index], to.children[index]];
    if (a && b) copyStyles(a, b);
  }
}

/** The SVG document of a drawing that is on the page; `box` is what of it is shown. */
export function svgText(drawing: SVGSVGElement, box: Box, background: string): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  copyStyles(drawing, copy);
  copy.querySelector("g")?.removeAttribute("transform");
  const { x, y } = { x: box.x - MARGIN, y: box.y - MARGIN };
  const [width, height] = [box.width + 2 * MARGIN, box.height + 2 * MARGIN];
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ x, y, width, height, fill: plainColor(background) })) paper.setAttribute(name, String(value));
  copy.prepend(paper);
  return new XMLSerializer().serializeToString(copy);
}

/** The same as a PNG, twice its size where a canvas can be so large. */
export async function pngOf(svg: string, box: Box): Promise<Blob> {
  const [width, height] = [box.width + 2 * MARGIN, box.height + 2 * MARGIN];
  const scale = Math.min(2, MAX_PIXELS / Math.max(width, height));
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(width * scale);
    canvas.height = Math.ceil(height * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, failed) => {
      canvas.toBlob((blob) => {
        if (blob) done(blob);
        else failed(new Error("The browser could not make the PNG. Export SVG, or focus on fewer datasets."));
      });
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** A file's name from what a DAG and a run are called. */
export function fileName(parts: readonly string[], extension: string): string {
  const name = parts.join("-").replace(/[^\p{L}\p{N}_.-]+/gu, "_").slice(0, 120);
  return `lineage-${name}.${extension}`;
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
  }, 1000);
}
