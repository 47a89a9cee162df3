// The project's own source files under some folders, as paths from the root. (Node 20 has no globSync.)
import { readdirSync } from "node:fs";
import { join } from "node:path";

const SKIPPED = new Set(["node_modules", "dist", "coverage"]);

export function sourceFiles(folders, isWanted) {
  const found = [];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) walk(path);
      } else if (isWanted(path)) found.push(path);
    }
  };
  for (const folder of folders) walk(folder);
  return found.sort((a, b) => (a < b ? -1 : 1));
}
