import * as React from "react";
import * as ReactDOM from "react-dom";
import { createRoot } from "react-dom/client";
import * as ReactJSXRuntime from "react/jsx-runtime";

// A page that gives a plugin what Airflow's page gives it, for the benchmark: React as globals, and props.
Object.assign(globalThis, { React, ReactDOM, ReactJSXRuntime });

async function show(root: HTMLElement): Promise<void> {
  await import(/* @vite-ignore */ new URL("lineage/static/lineage.js", document.baseURI).href);
  const { Lineage } = globalThis as unknown as { Lineage: React.ComponentType<{ dagId: string }> };
  createRoot(root).render(<Lineage dagId="bench" />);
}

const root = document.getElementById("root");
if (root) void show(root);
