import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { licenses } from "./licenses.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** What each build is made of; `host` is the page of the benchmark. */
const BUILDS = {
  plugin: { input: at("src/shell/plugin.tsx"), outDir: at("../plugins/static") },
  report: { input: at("src/offline/main.tsx"), outDir: at("../plugins/static") },
  host: { input: at("src/test/host.tsx"), outDir: at("../../.bench/ui") },
};

// React comes from Airflow's page. As externals they would stay require() calls inside CommonJS dependencies,
// which no browser has: alias them to modules that read the page's globals.
const host = [
  { find: /^react\/jsx-(dev-)?runtime$/, replacement: at("src/host/jsx-runtime.cjs") },
  { find: /^react-dom$/, replacement: at("src/host/react-dom.cjs") },
  { find: /^react$/, replacement: at("src/host/react.cjs") },
];

export default defineConfig(({ mode }) => {
  const report = mode === "report";
  const { input, outDir } = BUILDS[report || mode === "host" ? mode : "plugin"];
  return {
    define: mode === "test" ? {} : { "process.env.NODE_ENV": '"production"' },
    resolve: { alias: input === BUILDS.plugin.input && mode !== "test" ? host : [] },
    plugins: mode === "host" ? [] : [licenses(report ? "append" : "write")],
    worker: { format: "es", rolldownOptions: { output: { entryFileNames: "[name]-[hash].js" } } },
    base: "./",
    build: {
      outDir,
      emptyOutDir: !report,
      target: "es2022",
      copyPublicDir: false,
      modulePreload: false,
      rolldownOptions: {
        // "use client" in libraries speaks to server components.
        onLog: (level, log, next) => {
          if (log.code !== "MODULE_LEVEL_DIRECTIVE") next(level, log);
        },
        input,
        output: report
          ? { format: "iife", entryFileNames: "report.js" }
          : { format: "es", entryFileNames: mode === "host" ? "host.js" : "lineage.js", chunkFileNames: "[name]-[hash].js" },
        preserveEntrySignatures: "allow-extension",
      },
    },
    // One worker and long timeouts: on a busy machine, a worker that gets no processor time must not fail.
    test: {
      environment: "jsdom",
      setupFiles: ["src/test/setup.ts"],
      include: ["src/**/*.test.{ts,tsx}"],
      maxWorkers: 1,
      testTimeout: 120_000,
      hookTimeout: 120_000,
      teardownTimeout: 60_000,
    },
  };
});
