import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

interface Manifest {
  name?: string;
  version?: string;
  license?: string;
}

/** The folder of the npm package that a module belongs to, or null for the project's own. */
function packageOf(id: string): string | null {
  const path = id.replace(/^\0+/, "").split("?")[0] ?? "";
  if (!path.includes("/node_modules/")) return null;
  for (let folder = dirname(path); folder.includes("/node_modules/"); folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as Manifest).name) return folder;
  }
  return null;
}

function section(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (!file) throw new Error(`${String(manifest.name)} is bundled and has no licence file`);
  const text = readFileSync(join(folder, file), "utf8").trim();
  return `${String(manifest.name)} ${String(manifest.version)} (${String(manifest.license)})\n\n${text}\n\n${"-".repeat(72)}\n`;
}

/** Write the licences of all packages in a bundle to LICENSES.txt beside it; a second build appends what is new. */
export function licenses(how: "write" | "append"): Plugin {
  return {
    name: "licenses",
    apply: "build",
    writeBundle(options, bundle) {
      const folders = new Set<string>();
      for (const output of Object.values(bundle)) {
        if (output.type !== "chunk") continue;
        for (const id of Object.keys(output.modules)) {
          const folder = packageOf(id);
          if (folder) folders.add(folder);
        }
      }
      const directory = options.dir ?? ".";
      mkdirSync(directory, { recursive: true });
      const file = join(directory, "LICENSES.txt");
      const known = how === "append" && existsSync(file) ? readFileSync(file, "utf8") : "";
      if (!known) writeFileSync(file, "");
      for (const text of [...folders].sort().map(section)) if (!known.includes(text)) appendFileSync(file, text);
    },
  };
}
