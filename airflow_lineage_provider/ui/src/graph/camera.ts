import { firstView, fitted, zoomed, type Box, type Viewport } from "./geometry";
import type { Point } from "./layout";

type Listener = (viewport: Viewport) => void;

/**
 * Where the drawing is on its canvas. It lives outside of React's state: to pan is to move one SVG group, once a frame,
 * and React draws only when what is to be seen leaves what is drawn.
 */
export class Camera {
  viewport: Viewport = { x: 0, y: 0, k: 1 };
  size = { width: 0, height: 0 };
  private readonly listeners = new Set<Listener>();
  private frame = 0;

  /** Take the canvas's size; true when it had none before. */
  resize(width: number, height: number): boolean {
    const first = this.size.width === 0 && width > 0;
    if (this.size.width !== width || this.size.height !== height) this.size = { width, height };
    return first;
  }

  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** Move, and tell the listeners in the next frame. */
  move(viewport: Viewport): void {
    this.viewport = viewport;
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.flush();
    });
  }

  flush(): void {
    for (const listener of this.listeners) listener(this.viewport);
  }

  pan(dx: number, dy: number): void {
    const { x, y, k } = this.viewport;
    this.move({ x: x + dx, y: y + dy, k });
  }

  zoom(factor: number, at: Point = { x: this.size.width / 2, y: this.size.height / 2 }): void {
    this.move(zoomed(this.viewport, factor, at));
  }

  fit(box: Box): void {
    this.move(fitted(box, this.size));
  }

  /** Show a drawing for the first time. */
  open(box: Box): void {
    this.move(firstView(box, this.size));
  }

  /** Bring a point of the drawing to the middle of the canvas. */
  center(point: Point, k: number = this.viewport.k): void {
    this.move({ x: this.size.width / 2 - point.x * k, y: this.size.height / 2 - point.y * k, k });
  }

  /** The point of the drawing under a point of the canvas. */
  at(point: Point): Point {
    const { x, y, k } = this.viewport;
    return { x: (point.x - x) / k, y: (point.y - y) / k };
  }
}
