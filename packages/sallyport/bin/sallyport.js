#!/usr/bin/env node
// The command's entry is committed so that npm can link it before anything is built. An old Node fails in the middle of
// some dependency, in words that help nobody: it is told apart here, before anything is loaded.
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const madeAt = (path) => statSync(fileURLToPath(new URL(path, import.meta.url)), { throwIfNoEntry: false })?.mtimeMs;
const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const least = engines.node.replace(">=", "");
const bundled = "../dist/program/main.js";
// The bundle starts sooner. In a checkout it counts only as long as nothing was built since; a package has no such files.
const builtAt = ["..", "../../client", "../../contract", "../../ledger", "../../ledger/src/node", "../../protocol"].map(
  (of) => madeAt(`${of}/tsconfig.tsbuildinfo`) ?? 0,
);
const main = madeAt(bundled) >= Math.max(...builtAt) ? bundled : "../dist/main.js";
if (isOlder(process.versions.node, least)) {
  process.stderr.write(
    `sallyport: Node ${process.versions.node} is too old: it takes ${least} or newer\n  remedy: install a newer one from nodejs.org\n`,
  );
  process.exitCode = 3;
} else if (madeAt(main) === undefined) {
  process.stderr.write("sallyport: not built yet; run `npm run build` in the checkout first\n");
  process.exitCode = 3;
} else {
  await import(new URL(main, import.meta.url).href);
}

function isOlder(version, wanted) {
  const [major, minor] = version.split(".").map(Number);
  const [wantedMajor, wantedMinor] = wanted.split(".").map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}
