import { useEffect, useMemo, useRef } from "react";
import type { Camera } from "./camera";
import { overview } from "./Drawing";
import type { Layout } from "./layout";
import type { Drawn } from "./model";

const WIDTH = 180;
const HEIGHT = 110;

/** The whole drawing, small, and the part of it that the canvas shows. For the pointer: keys move the canvas itself. */
export function Minimap({ drawn, layout, camera }: { drawn: Drawn; layout: Layout; camera: Camera }) {
  const paths = useMemo(() => overview(drawn, layout), [drawn, layout]);
  const svg = useRef<SVGSVGElement>(null);
  const frame = useRef<SVGRectElement>(null);
  const scale = Math.max(layout.width / WIDTH, layout.height / HEIGHT, 1);

  useEffect(() => {
    const draw = () => {
      const { x, y, k } = camera.viewport;
      const { width, height } = camera.size;
      const values = { x: -x / k, y: -y / k, width: width / k, height: height / k };
      for (const [name, value] of Object.entries(values)) frame.current?.setAttribute(name, String(value));
    };
    draw();
    return camera.subscribe(draw);
  }, [camera]);

  useEffect(() => {
    const element = svg.current;
    if (!element) return undefined;
    const jump = (event: PointerEvent) => {
      if (event.buttons !== 1) return;
      const box = element.getBoundingClientRect();
      const dx = (event.clientX - box.left - box.width / 2) * scale;
      const dy = (event.clientY - box.top - box.height / 2) * scale;
      camera.center({ x: layout.width / 2 + dx, y: layout.height / 2 + dy });
      event.stopPropagation();
    };
    element.addEventListener("pointerdown", jump);
    element.addEventListener("pointermove", jump);
    return () => {
      element.removeEventListener("pointerdown", jump);
      element.removeEventListener("pointermove", jump);
    };
  }, [camera, layout, scale]);

  const [width, height] = [WIDTH * scale, HEIGHT * scale];
  const viewBox = `${layout.width / 2 - width / 2} ${layout.height / 2 - height / 2} ${width} ${height}`;
  return (
    <svg ref={svg} className="ln-minimap" width={WIDTH} height={HEIGHT} viewBox={viewBox} aria-hidden="true">
      <path className="ln-far-node" d={paths.nodes} />
      <path className="ln-far-node ln-far-bad" d={paths.bad} />
      <rect ref={frame} className="ln-minimap-frame" strokeWidth={2 * scale} />
    </svg>
  );
}
