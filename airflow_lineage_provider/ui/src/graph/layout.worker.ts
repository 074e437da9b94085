import { layout, type LayoutInput } from "./layout";

self.onmessage = ({ data }: MessageEvent<{ ask: number; input: LayoutInput }>) => {
  self.postMessage({ ask: data.ask, layout: layout(data.input) });
};
