#!/usr/bin/env node
// The command's entry is committed so that npm can link it before anything is built.
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const madeAt = (path) => statSync(fileURLToPath(new URL(path, import.meta.url)), { throwIfNoEntry: false })?.mtimeMs;
const bundled = "../dist/program/main.js";
// The bundle starts sooner. In a checkout it counts only as long as nothing was built since; a package has no such files.
const builtAt = ["..", "../../client", "../../protocol"].map((of) => madeAt(`${of}/tsconfig.tsbuildinfo`) ?? 0);
const main = madeAt(bundled) >= Math.max(...builtAt) ? bundled : "../dist/main.js";
if (madeAt(main) === undefined) {
  process.stderr.write("sallyport: not built yet; run `npm run build` in the checkout first\n");
  process.exitCode = 3;
} else {
  await import(new URL(main, import.meta.url).href);
}
