import { useEffect, useLayoutEffect, useMemo, useRef, useState, type RefObject } from "react";
import type { Camera } from "./camera";
import { Drawing, type Spot } from "./Drawing";
import { Markers } from "./Edges";
import { HEADINGS, READABLE, visibleBox, type Box } from "./geometry";
import { NODE_WIDTH, type Layout } from "./layout";
import { Minimap } from "./Minimap";
import type { Drawn, Neighbours } from "./model";
import { firstSpot, middleOfSpot } from "./spots";
import { useKeys, usePointer, type Actions } from "./useInput";
import type { ColumnEdge } from "../api/types";

/** Below this scale names cannot be read: nodes become boxes. */
const FAR = 0.4;

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

/** What is drawn: the visible part and half a canvas around it, so that React works seldom while one pans. */
function useDrawnPart(camera: Camera, group: RefObject<SVGGElement | null>): { box: Box; far: boolean } {
  const [part, setPart] = useState(() => ({ box: visibleBox(camera.viewport, camera.size), far: false, k: 1 }));
  const current = useRef(part);
  useLayoutEffect(() => {
    const follow = () => {
      const { x, y, k } = camera.viewport;
      group.current?.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
      const seen = visibleBox(camera.viewport, camera.size, 0);
      const far = k < FAR;
      const { box, far: before, k: drawnAt } = current.current;
      const inside = seen.x >= box.x && seen.y >= box.y && seen.x + seen.width <= box.x + box.width && seen.y + seen.height <= box.y + box.height;
      if (far === before && (far || (inside && k < drawnAt * 2))) return;
      current.current = { box: visibleBox(camera.viewport, camera.size), far, k };
      setPart(current.current);
    };
    follow();
    return camera.subscribe(follow);
  }, [camera, group]);
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
  const group = useRef<SVGGElement>(null);
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
  const part = useDrawnPart(camera, group);

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
      <svg width="100%" height="100%" role="group" aria-label={label}>
        <Markers />
        <g ref={group} className="ln-drawing">
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
      <Minimap drawn={drawn} layout={layout} camera={camera} />
    </div>
  );
}
