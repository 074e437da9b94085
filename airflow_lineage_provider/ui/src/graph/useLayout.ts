import { createContext, useContext, useEffect, useState } from "react";
import type { Layout, LayoutInput } from "./layout";

export type LayoutEngine = (input: LayoutInput) => Promise<Layout>;

/** Lay out in a worker, so that a large graph does not block the page. */
export function workerEngine(): LayoutEngine {
  let worker: Worker | undefined;
  let asked = 0;
  const waiting = new Map<number, { done: (layout: Layout) => void; failed: (error: Error) => void }>();
  return (input) => {
    if (!worker) {
      worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }: MessageEvent<{ ask: number; layout: Layout }>) => {
        waiting.get(data.ask)?.done(data.layout);
        waiting.delete(data.ask);
      };
      worker.onerror = () => {
        for (const { failed } of waiting.values()) failed(new Error("The layout's worker could not be loaded. Reload the page."));
        waiting.clear();
        worker = undefined;
      };
    }
    const ask = ++asked;
    worker.postMessage({ ask, input });
    return new Promise((done, failed) => waiting.set(ask, { done, failed }));
  };
}

export const LayoutContext = createContext<LayoutEngine>(() => Promise.reject(new Error("no layout engine")));

interface Laid {
  input: LayoutInput;
  layout: Layout | null;
  error: Error | null;
}

/** The layout of an input; until a new one is there, the last one with the input that it belongs to. */
export function useLayout(input: LayoutInput | null): Laid | null {
  const engine = useContext(LayoutContext);
  const [laid, setLaid] = useState<Laid | null>(null);
  useEffect(() => {
    if (input === null) return undefined;
    let current = true;
    engine(input).then(
      (layout) => {
        if (current) setLaid({ input, layout, error: null });
      },
      (error: unknown) => {
        if (current) setLaid({ input, layout: null, error: error instanceof Error ? error : new Error(String(error)) });
      },
    );
    return () => {
      current = false;
    };
  }, [engine, input]);
  return laid;
}
