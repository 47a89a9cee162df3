// Writes the man pages: `node tools/make-man.js [FOLDER]`, after a build; into dist/man by default.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manPages } from "./package/man-pages.js";

const folder = process.argv[2] ?? "dist/man";
mkdirSync(folder, { recursive: true });
const pages = await manPages();
for (const [name, text] of pages) writeFileSync(join(folder, name), text);
console.log(`man pages: ${pages.size} in ${folder}`);
