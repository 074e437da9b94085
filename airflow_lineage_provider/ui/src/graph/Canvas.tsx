import { useEffect, useLayoutEffect, useMemo, useRef, useState, type RefObject } from "react";
import type { Camera } from "./camera";
import { Drawing, type Spot } from "./Drawing";
import { Markers } from "./Edges";
import { HEADINGS, READABLE, visibleBox, type Box, type Viewport } from "./geometry";
import { NODE_WIDTH, type Layout } from "./layout";
import { Minimap } from "./Minimap";
import type { Drawn, Neighbours } from "./model";
import { FarLayer } from "./FarLayer";
import { firstSpot, middleOfSpot } from "./spots";
import { useKeys, usePointer, type Actions } from "./useInput";
import type { ColumnEdge } from "../api/types";

/** Below this scale names cannot be read: nodes become boxes. */
const FAR = 0.5;

interface Props {
  camera: Camera;
  drawn: Drawn;
  layout: Layout;
  neighbours: Neighbours;
  selected: Spot | null;
  columnEdgesOf: (spot: Spot | null) => readonly ColumnEdge[];
  /** What the drawing is of: when it changes, the drawing is fitted to the canvas. */
  scope: string;
  label: string;
  onSelect: (spot: Spot | null) => void;
  onToggle: (node: string) => void;
  onFocus: (node: string) => void;
}

/** So much of the canvas's size is drawn around it. */
const MARGIN = 0.25;
/** A picture is scaled while one zooms, and drawn anew after this time, in milliseconds. */
const SETTLED = 120;

interface Part {
  box: Box;
  far: boolean;
  /** Where the camera was when this part was drawn, and how large the canvas. */
  drawnAt: Viewport;
  size: { width: number; height: number };
}

function partOf({ viewport, size }: Camera): Part {
  return { box: visibleBox(viewport, size, MARGIN), far: viewport.k < FAR, drawnAt: viewport, size };
}

/**
 * What is drawn: the visible part and a margin around it, on a layer that the browser moves as a picture. So one pans
 * without work until the margin is used up.
 */
function useDrawnPart(camera: Camera, layer: RefObject<HTMLDivElement | null>): Part {
  const [part, setPart] = useState(() => partOf(camera));
  useLayoutEffect(() => {
    let timer = 0;
    const draw = () => {
      setPart(partOf(camera));
    };
    const follow = () => {
      window.clearTimeout(timer);
      const { x, y, k } = camera.viewport;
      const { drawnAt, size, far } = part;
      const factor = k / drawnAt.k;
      const [dx, dy] = [x - drawnAt.x * factor, y - drawnAt.y * factor];
      const [left, top] = [dx - size.width * MARGIN * factor, dy - size.height * MARGIN * factor];
      const moved = factor === 1 ? `translate(${Math.round(left)}px, ${Math.round(top)}px)` : `translate(${left}px, ${top}px) scale(${factor})`;
      layer.current?.style.setProperty("transform", moved);
      const used = Math.abs(dx) > size.width * MARGIN || Math.abs(dy) > size.height * MARGIN;
      if (size !== camera.size || far !== k < FAR || (factor === 1 && used && !far)) draw();
      else if (factor !== 1 || used) timer = window.setTimeout(draw, SETTLED);
    };
    follow();
    const stop = camera.subscribe(follow);
    return () => {
      window.clearTimeout(timer);
      stop();
    };
  }, [camera, layer, part]);
  return part;
}

/** Follow the canvas's size; fit the drawing when its scope changes, else keep `anchor` where it is on the screen. */
function useFit(
  camera: Camera,
  layout: Layout,
  scope: string,
  anchor: string | undefined,
  canvas: RefObject<HTMLElement | null>,
  resized: RefObject<() => void>,
): void {
  const last = useRef<{ scope: string; layout: Layout } | null>(null);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const measure = () => {
      const first = camera.resize(element.clientWidth, element.clientHeight);
      if (first && last.current) camera.open(whole(last.current.layout));
      else resized.current();
      camera.flush();
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [camera, canvas, resized]);
  useLayoutEffect(() => {
    const before = last.current;
    last.current = { scope, layout };
    if (before?.layout === layout) return;
    const was = anchor === undefined ? undefined : before?.layout.nodes[anchor];
    const is = anchor === undefined ? undefined : layout.nodes[anchor];
    if (before?.scope !== scope || !was || !is) {
      if (before?.scope !== scope) camera.open(whole(layout));
    } else camera.pan((was.x - is.x) * camera.viewport.k, (was.y - is.y) * camera.viewport.k);
    camera.flush();
  }, [camera, layout, scope, anchor]);
}

const whole = ({ width, height }: Layout): Box => ({ x: 0, y: 0, width, height });

export function fit(camera: Camera, layout: Layout): void {
  camera.fit(whole(layout));
}

/** Bring a spot into sight where it is not: without a jump where it is. */
function reveal(camera: Camera, drawn: Drawn, layout: Layout, spot: Spot): void {
  const point = middleOfSpot(drawn, layout, spot);
  if (!point) return;
  const { x, y, k } = camera.viewport;
  const at = { x: point.x * k + x, y: point.y * k + y };
  const half = (NODE_WIDTH / 2) * k;
  const seen = at.x > half && at.x < camera.size.width - half && at.y > HEADINGS + 10 && at.y < camera.size.height - 20;
  if (!seen || k < FAR) camera.center(point, Math.max(k, READABLE));
}

export function Canvas(props: Props) {
  const { camera, drawn, layout, neighbours, selected, columnEdgesOf, scope, label, onSelect, onToggle, onFocus } = props;
  const canvas = useRef<HTMLDivElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const wantsFocus = useRef(false);
  const [hovered, setHovered] = useState<Spot | null>(null);
  const [chosen, setActive] = useState<Spot | null>(null);
  const exists = (spot: Spot | null) => spot !== null && layout.nodes[spot.node] !== undefined;
  const first = useMemo(() => firstSpot(drawn, layout), [drawn, layout]);
  const active = exists(chosen) ? chosen : exists(selected) ? selected : first;

  const state = { drawn, layout, neighbours };
  const latest = useRef(state);
  // The side panel takes a part of the canvas when something is selected.
  const showSelected = useRef<() => void>(() => undefined);
  useLayoutEffect(() => {
    latest.current = state;
    showSelected.current = () => {
      if (selected) reveal(camera, drawn, layout, selected);
    };
  });
  useFit(camera, layout, scope, active?.node, canvas, showSelected);
  const part = useDrawnPart(camera, layer);
  const { width, height } = part.size;
  const { x, y, k } = part.drawnAt;

  const key = selected && `${selected.node}\u0000${selected.column}`;
  useEffect(() => {
    // When another one is selected, or another part is drawn: who pans away from the selection is not pulled back.
    showSelected.current();
  }, [scope, key]);

  const actions: Actions = {
    hover: setHovered,
    select: (spot) => {
      setActive(spot);
      onSelect(spot);
    },
    toggle: (node) => {
      setActive({ node, column: "" });
      onToggle(node);
    },
    focus: onFocus,
    activate: (spot) => {
      wantsFocus.current = true;
      setActive(spot);
      reveal(camera, drawn, layout, spot);
    },
    fit: () => {
      fit(camera, layout);
    },
  };
  usePointer(canvas, camera, latest, actions);
  useKeys(canvas, camera, latest, actions);

  useEffect(() => {
    if (!wantsFocus.current || !active) return;
    wantsFocus.current = false;
    const escape = (text: string) => text.replace(/["\\]/g, "\\$&").replace(/[\n\r\f\0]/g, (c) => `\\${c.charCodeAt(0).toString(16)} `);
    const of = active.column === "" ? ":not([data-column])" : `[data-column="${escape(active.column)}"]`;
    canvas.current?.querySelector<SVGGElement>(`[data-node="${escape(active.node)}"]${of}`)?.focus({ preventScroll: true });
  });

  return (
    <div ref={canvas} className="ln-canvas" data-testid="lineage-canvas">
      {part.far && <FarLayer drawn={drawn} layout={layout} camera={camera} />}
      <div ref={layer} className="ln-near">
        <svg width={width * (1 + 2 * MARGIN)} height={height * (1 + 2 * MARGIN)} role="group" aria-label={label}>
          <Markers />
          <g className="ln-drawing" transform={`translate(${x + width * MARGIN} ${y + height * MARGIN}) scale(${k})`}>
          <Drawing
            drawn={drawn}
            layout={layout}
            neighbours={neighbours}
            box={part.box}
            far={part.far}
            selected={selected}
            hovered={hovered}
            active={active}
            columnEdges={columnEdgesOf(hovered)}
            headings={false}
          />
          </g>
        </svg>
      </div>
      <Minimap drawn={drawn} layout={layout} camera={camera} />
    </div>
  );
}
