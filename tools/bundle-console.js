// The console in a few files: `node tools/bundle-console.js [FOLDER]`, after a build of the contract; into
// packages/sallyport/dist/console unless told. One page, its script, a shared worker's script, one style sheet; the names of
// the last three contain their hashes, so that browsers keep them for ever. `files.json` lists what the gateway serves, and nothing else is.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const source = fileURLToPath(new URL("../packages/console/src/", import.meta.url));
const folder = resolve(
  process.argv[2] ?? fileURLToPath(new URL("../packages/sallyport/dist/console/", import.meta.url)),
);
const { contract } = await import("../packages/contract/dist/index.js");

/** Methods, paths and permissions of the contract; the program's schemas stay with the gateway. */
const routes = Object.fromEntries(
  Object.entries(contract).map(([name, { method, path, permission }]) => [name, [method, path, permission]]),
);
const ROUTES = "virtual:routes";

const WORKER = "virtual:worker";

/** One script of an entry and everything it imports. `given` are modules that the build makes. */
async function scriptOf(entry, format, given) {
  const bundle = await rolldown({
    input: join(source, entry),
    platform: "browser",
    transform: { define: { "process.env.NODE_ENV": '"production"' } },
    plugins: [
      {
        name: "given",
        resolveId: (id) => (Object.hasOwn(given, id) ? `\0${id}` : null),
        load: (id) =>
          Object.hasOwn(given, id.slice(1)) ? `export default ${JSON.stringify(given[id.slice(1)])};` : null,
      },
    ],
    onLog(level, log) {
      throw new Error(`${level}: ${log.message}`);
    },
  });
  const { output } = await bundle.generate({ format, minify: true, codeSplitting: false });
  await bundle.close();
  const chunks = output.filter(({ type }) => type === "chunk");
  if (chunks.length !== 1) throw new Error(`not one script: ${output.map(({ fileName }) => fileName).join(", ")}`);
  return chunks[0].code;
}

const worker = await scriptOf("events/events-worker.ts", "iife", {});
const workerName = hashed("events", worker, "js");
const app = await scriptOf("main.tsx", "esm", { [ROUTES]: routes, [WORKER]: `/${workerName}` });

/** What is in the script of others comes with their licence. */
const require = createRequire(import.meta.url);
const licences = ["react", "react-dom", "scheduler"].map((name) => {
  const path = join(dirname(require.resolve(`${name}/package.json`)), "LICENSE");
  return `${name}\n\n${readFileSync(path, "utf8").trim()}`;
});
const script = `/*!\n${licences.join("\n\n")}\n*/\n${app}`;
const style = readFileSync(join(source, "console.css"), "utf8");
const [scriptName, styleName] = [hashed("console", script, "js"), hashed("console", style, "css")];
const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Sallyport</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/${styleName}" />
    <script type="module" src="/${scriptName}"></script>
  </head>
  <body>
    <div id="console"></div>
    <noscript>The console needs JavaScript. The command line does the same: sallyport --help</noscript>
  </body>
</html>
`;
rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "assets"), { recursive: true });
const files = { "index.html": page, [scriptName]: script, [workerName]: worker, [styleName]: style };
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
writeFileSync(join(folder, "files.json"), JSON.stringify(Object.keys(files)));

function hashed(name, text, ending) {
  return `assets/${name}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}.${ending}`;
}
