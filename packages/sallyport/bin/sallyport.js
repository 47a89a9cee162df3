#!/usr/bin/env node
// The command's entry is committed so that npm can link it before anything is built. An old Node fails in the middle of
// some dependency, in words that help nobody: it is told apart here, before anything is loaded.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("../dist/main.js", import.meta.url);
const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const least = engines.node.replace(">=", "");
if (isOlder(process.versions.node, least)) {
  process.stderr.write(
    `sallyport: Node ${process.versions.node} is too old: it takes ${least} or newer\n  remedy: install a newer one from nodejs.org\n`,
  );
  process.exitCode = 3;
} else if (existsSync(fileURLToPath(main))) {
  await import(main.href);
} else {
  process.stderr.write("sallyport: not built yet; run `npm run build` in the checkout first\n");
  process.exitCode = 3;
}

function isOlder(version, wanted) {
  const [major, minor] = version.split(".").map(Number);
  const [wantedMajor, wantedMinor] = wanted.split(".").map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}
