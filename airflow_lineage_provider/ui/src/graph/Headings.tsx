import { useEffect, useRef } from "react";
import type { Lane } from "../api/types";
import type { Camera } from "./camera";
import type { Layout } from "./layout";

interface Props {
  lanes: readonly Lane[];
  layout: Layout;
  camera: Camera;
  collapsed: readonly string[];
  onToggle: (lane: string) => void;
}

/** The lanes' headings, above the canvas at any zoom; each collapses its lane. */
export function Headings({ lanes, layout, camera, collapsed, onToggle }: Props) {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = () => {
      const { x, k } = camera.viewport;
      layout.lanes.forEach((lane, index) => {
        const cell = row.current?.children[index];
        if (!(cell instanceof HTMLElement)) return;
        const left = Math.max(0, x + lane.x * k);
        const right = Math.min(camera.size.width, x + (lane.x + lane.width) * k);
        cell.style.transform = `translateX(${left}px)`;
        cell.style.width = `${Math.max(0, right - left)}px`;
        cell.style.visibility = right - left < 16 ? "hidden" : "visible";
      });
    };
    place();
    return camera.subscribe(place);
  }, [camera, layout]);
  const byId = new Map(lanes.map((lane) => [lane.id, lane]));
  return (
    <div className="ln-headings" ref={row}>
      {layout.lanes.map(({ id }) => {
        const lane = byId.get(id);
        const open = !collapsed.includes(id);
        return (
          <div key={id} className="ln-heading-cell">
            <button
              type="button"
              className="ln-heading-button"
              aria-expanded={open}
              title={`${open ? "Collapse" : "Expand"} ${lane?.kind ?? "lane"} ${lane?.label ?? id}`}
              onClick={() => {
                onToggle(id);
              }}
            >
              <span aria-hidden="true">{open ? "\u25be" : "\u25b8"}</span>
              <span className="ln-heading-label">{lane?.label ?? id}</span>
            </button>
          </div>
        );
      })}
    </div>
  );
}
