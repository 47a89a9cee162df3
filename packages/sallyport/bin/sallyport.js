#!/usr/bin/env node
// The command's entry is committed so that npm can link it before anything is built.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("../dist/main.js", import.meta.url);
if (existsSync(fileURLToPath(main))) {
  await import(main.href);
} else {
  process.stderr.write("sallyport: not built yet; run `npm run build` in the checkout first\n");
  process.exitCode = 3;
}
