import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";
import type { Camera } from "./camera";
import type { Spot } from "./Drawing";
import type { Layout, Point } from "./layout";
import type { Drawn, Neighbours } from "./model";
import { move, sameSpot, spotAt } from "./spots";

export interface Actions {
  hover: (spot: Spot | null) => void;
  select: (spot: Spot | null) => void;
  toggle: (node: string) => void;
  /** Cut the graph to a node and its neighbours. */
  focus: (node: string) => void;
  /** Move the keyboard's focus. */
  activate: (spot: Spot) => void;
  fit: () => void;
}

interface State {
  drawn: Drawn;
  layout: Layout;
  neighbours: Neighbours;
}

/** A click that moved further than this is a drag. */
const SLOP = 4;
const PAN_STEP = 80;

const nodeOf = (target: EventTarget | null) => (target instanceof Element ? target.closest<SVGElement>("[data-node]") : null);
const toggleOf = (target: EventTarget | null) => (target instanceof Element ? target.closest<SVGElement>("[data-toggle]") : null);

function spotOf(target: EventTarget | null): Spot | null {
  const data = nodeOf(target)?.dataset;
  return data?.node === undefined ? null : { node: data.node, column: data.column ?? "" };
}

function useLatest<T>(value: T): RefObject<T> {
  const ref = useRef(value);
  useLayoutEffect(() => {
    ref.current = value;
  });
  return ref;
}

/** Pan by dragging, zoom by the wheel, hover and select by the pointer. */
export function usePointer(canvas: RefObject<HTMLElement | null>, camera: Camera, state: RefObject<State>, given: Actions): void {
  const actions = useLatest(given);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    let drag: { id: number; at: Point; moved: boolean } | null = null;
    let hovered: Spot | null = null;
    const here = ({ clientX, clientY }: MouseEvent): Point => {
      const box = element.getBoundingClientRect();
      return { x: clientX - box.left, y: clientY - box.top };
    };
    const hover = (spot: Spot | null) => {
      if (sameSpot(hovered, spot)) return;
      hovered = spot;
      actions.current.hover(spot);
    };
    const find = (event: MouseEvent) => spotAt(state.current.drawn, state.current.layout, camera.at(here(event)));
    const down = (event: PointerEvent) => {
      if (event.button === 0) drag = { id: event.pointerId, at: here(event), moved: false };
    };
    const moved = (event: PointerEvent) => {
      if (drag?.id !== event.pointerId) {
        hover(find(event));
        return;
      }
      const at = here(event);
      if (!drag.moved && Math.hypot(at.x - drag.at.x, at.y - drag.at.y) < SLOP) return;
      if (!drag.moved) element.setPointerCapture(event.pointerId);
      camera.pan(at.x - drag.at.x, at.y - drag.at.y);
      drag = { id: drag.id, at, moved: true };
    };
    const up = (event: PointerEvent) => {
      const dragged = drag?.moved === true;
      drag = null;
      if (dragged || event.button !== 0 || event.type === "pointercancel") return;
      const toggle = toggleOf(event.target)?.dataset.toggle;
      if (toggle === undefined) actions.current.select(find(event));
      else actions.current.toggle(toggle);
    };
    const leave = () => {
      hover(null);
    };
    const wheel = (event: WheelEvent) => {
      // On a page that scrolls, such as a report, the wheel scrolls it; with Ctrl it zooms.
      const { scrollHeight, clientHeight } = document.documentElement;
      if (scrollHeight > clientHeight + 1 && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      camera.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), here(event));
    };
    const listeners = { pointerdown: down, pointermove: moved, pointerup: up, pointercancel: up, pointerleave: leave, wheel };
    for (const [name, listener] of Object.entries(listeners))
      element.addEventListener(name, listener as EventListener, { passive: false });
    return () => {
      for (const [name, listener] of Object.entries(listeners)) element.removeEventListener(name, listener as EventListener);
    };
  }, [canvas, camera, state, actions]);
}

/** Keys: arrows walk the graph, Enter selects, Space opens, F focuses, + - 0 zoom, Shift with an arrow pans. */
export function useKeys(canvas: RefObject<HTMLElement | null>, camera: Camera, state: RefObject<State>, given: Actions): void {
  const actions = useLatest(given);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const zoom: Record<string, () => void> = {
      "+": () => { camera.zoom(1.25); },
      "=": () => { camera.zoom(1.25); },
      "-": () => { camera.zoom(0.8); },
      "0": () => { actions.current.fit(); },
    };
    const pans: Record<string, [number, number]> = {
      ArrowLeft: [PAN_STEP, 0],
      ArrowRight: [-PAN_STEP, 0],
      ArrowUp: [0, PAN_STEP],
      ArrowDown: [0, -PAN_STEP],
    };
    const onSpot = (key: string, spot: Spot): boolean => {
      if (key === "Enter") actions.current.select(spot);
      else if (key === " ") actions.current.toggle(spot.node);
      else if (key === "f" || key === "F") actions.current.focus(spot.node);
      else if (key in pans) {
        const { drawn, layout, neighbours } = state.current;
        const next = move(drawn, layout, neighbours, spot, key);
        if (next) actions.current.activate(next);
      } else return false;
      return true;
    };
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { key, target } = event;
      const toggle = toggleOf(target)?.dataset.toggle;
      const spot = spotOf(target);
      const pan = event.shiftKey ? pans[key] : undefined;
      let done = true;
      if (key === "Escape") actions.current.select(null);
      else if (pan) camera.pan(...pan);
      else if (zoom[key]) zoom[key]();
      else if (toggle !== undefined && (key === "Enter" || key === " ")) actions.current.toggle(toggle);
      else done = spot !== null && onSpot(key, spot);
      if (done) event.preventDefault();
    };
    const focused = (event: FocusEvent) => {
      const spot = spotOf(event.target);
      if (spot) actions.current.hover(spot);
    };
    const blurred = () => {
      actions.current.hover(null);
    };
    element.addEventListener("keydown", press);
    element.addEventListener("focusin", focused);
    element.addEventListener("focusout", blurred);
    return () => {
      element.removeEventListener("keydown", press);
      element.removeEventListener("focusin", focused);
      element.removeEventListener("focusout", blurred);
    };
  }, [canvas, camera, state, actions]);
}
