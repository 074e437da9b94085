import { useEffect, useRef } from "react";
import type { Camera } from "./camera";
import { edgePath, type Viewport } from "./geometry";
import { NODE_WIDTH, type Layout } from "./layout";
import type { Drawn } from "./model";
import { EDGE_STATES, isBad } from "./states";

/** So much of the canvas's size is drawn around it: panning moves a picture, and draws when its edge is reached. */
const MARGIN = 0.5;
/** A picture is scaled while one zooms, and drawn anew after this time, in milliseconds. */
const SETTLED = 120;

interface Picture {
  edges: { state: string; path: Path2D }[];
  nodes: { x: number; y: number; height: number; bad: boolean }[];
}

function pictureOf(drawn: Drawn, layout: Layout): Picture {
  const edges = drawn.edges.flatMap((edge) => {
    const path = edgePath(layout, edge);
    return path ? [{ state: edge.state, path: new Path2D(path.d) }] : [];
  });
  const nodes = drawn.nodes.flatMap(({ id, height, dataset }) => {
    const at = layout.nodes[id];
    return at ? [{ ...at, height, bad: isBad(dataset) }] : [];
  });
  return { edges, nodes };
}

type Colours = (name: string) => string;

function paint(context: CanvasRenderingContext2D, picture: Picture, layout: Layout, { x, y, k }: Viewport, colour: Colours): void {
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = colour("--ln-bg");
  context.fillRect(0, 0, width, height);
  context.fillStyle = colour("--ln-bg-subtle");
  layout.lanes.forEach((lane, index) => {
    if (index % 2 === 1) context.fillRect(x + lane.x * k, 0, lane.width * k, height);
  });
  context.setTransform(k, 0, 0, k, x, y);
  context.lineWidth = Math.max(1.5, 0.6 / k);
  context.globalAlpha = 0.5;
  const colours = new Map<string, string>(EDGE_STATES.map((state) => [state, colour(`--ln-${state}`)]));
  for (const { state, path } of picture.edges) {
    context.strokeStyle = colours.get(state) ?? "";
    context.stroke(path);
  }
  context.globalAlpha = 1;
  context.lineWidth = Math.max(1, 0.5 / k);
  for (const bad of [false, true]) {
    context.fillStyle = colour(bad ? "--ln-bad-bg" : "--ln-bg-muted");
    context.strokeStyle = colour(bad ? "--ln-bad" : "--ln-border-strong");
    for (const node of picture.nodes) {
      if (node.bad !== bad) continue;
      context.fillRect(node.x, node.y, NODE_WIDTH, node.height);
      context.strokeRect(node.x, node.y, NODE_WIDTH, node.height);
    }
  }
}

/** All nodes and edges of a drawing that is too small to read, as a bitmap: thousands of them pan without work. */
export function FarLayer({ drawn, layout, camera }: { drawn: Drawn; layout: Layout; camera: Camera }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d", { alpha: false });
    if (!element || !context) return undefined;
    const picture = pictureOf(drawn, layout);
    let painted: Viewport | null = null;
    let timer = 0;
    const draw = () => {
      const style = getComputedStyle(element);
      const { x, y, k } = camera.viewport;
      const { width, height } = camera.size;
      element.width = Math.ceil(width * (1 + 2 * MARGIN));
      element.height = Math.ceil(height * (1 + 2 * MARGIN));
      const shifted = { x: x + width * MARGIN, y: y + height * MARGIN, k };
      paint(context, picture, layout, shifted, (name) => style.getPropertyValue(name));
      painted = camera.viewport;
      element.style.transform = `translate(${-width * MARGIN}px, ${-height * MARGIN}px)`;
    };
    const follow = () => {
      const { x, y, k } = camera.viewport;
      const { width, height } = camera.size;
      window.clearTimeout(timer);
      if (!painted) {
        draw();
        return;
      }
      const factor = k / painted.k;
      const [dx, dy] = [x - painted.x * factor, y - painted.y * factor];
      if (factor === 1 && (Math.abs(dx) > width * MARGIN || Math.abs(dy) > height * MARGIN)) draw();
      else {
        const [left, top] = [dx - width * MARGIN * factor, dy - height * MARGIN * factor];
        element.style.transform = `translate(${left}px, ${top}px) scale(${factor})`;
        if (factor !== 1) timer = window.setTimeout(draw, SETTLED);
      }
    };
    draw();
    // The host's colours change with a class on the page's root.
    const themes = new MutationObserver(draw);
    themes.observe(document.documentElement, { attributeFilter: ["class"] });
    const stop = camera.subscribe(follow);
    return () => {
      window.clearTimeout(timer);
      themes.disconnect();
      stop();
    };
  }, [drawn, layout, camera]);
  return <canvas ref={canvas} className="ln-far" aria-hidden="true" />;
}
