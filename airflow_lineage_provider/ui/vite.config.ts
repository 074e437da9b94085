import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { licenses } from "./licenses.ts";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const outDir = at("../plugins/static");

// React comes from Airflow's page. As externals they would stay require() calls inside CommonJS dependencies,
// which no browser has: alias them to modules that read the page's globals.
const host = [
  { find: /^react\/jsx-(dev-)?runtime$/, replacement: at("src/host/jsx-runtime.cjs") },
  { find: /^react-dom$/, replacement: at("src/host/react-dom.cjs") },
  { find: /^react$/, replacement: at("src/host/react.cjs") },
];

export default defineConfig(({ mode }) => {
  const report = mode === "report";
  return {
    define: mode === "test" ? {} : { "process.env.NODE_ENV": '"production"' },
    resolve: { alias: report || mode === "test" ? [] : host },
    plugins: [licenses(report ? "append" : "write")],
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
        input: at(report ? "src/offline/main.tsx" : "src/shell/plugin.tsx"),
        output: report
          ? { format: "iife", entryFileNames: "report.js" }
          : { format: "es", entryFileNames: "lineage.js", chunkFileNames: "[name]-[hash].js" },
        preserveEntrySignatures: "allow-extension",
      },
    },
    test: { environment: "jsdom", setupFiles: ["src/test/setup.ts"], include: ["src/**/*.test.{ts,tsx}"], testTimeout: 30000 },
  };
});
