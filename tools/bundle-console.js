// The console in a few files: `node tools/bundle-console.js [FOLDER]`, after a build of the contract; into
// packages/sallyport/dist/console unless told. One page, its script, two workers' scripts, one style sheet; the names of
// the last four contain their hashes, so that browsers keep them for ever. `files.json` lists what the gateway serves, and nothing else is.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));
const source = fileURLToPath(new URL("../packages/console/src/", import.meta.url));
const folder = resolve(
  process.argv[2] ?? fileURLToPath(new URL("../packages/sallyport/dist/console/", import.meta.url)),
);
const { contract } = await import("../packages/contract/dist/index.js");

/** Methods, paths and permissions of the contract; the program's schemas stay with the gateway. */
const routes = Object.fromEntries(
  Object.entries(contract).map(([name, { method, path, permission }]) => [name, [method, path, permission]]),
);

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

const eventsWorker = await scriptOf("events/events-worker.ts", "iife", {});
const eventsName = hashed("events", eventsWorker, "js");
const proofWorker = withLicences(
  ["@noble/curves", "@noble/hashes"],
  await scriptOf("proof/proof-worker.ts", "iife", {}),
);
const proofName = hashed("proof", proofWorker, "js");
const app = await scriptOf("main.tsx", "esm", {
  "virtual:routes": routes,
  "virtual:events-worker": `/${eventsName}`,
  "virtual:proof-worker": `/${proofName}`,
});
const script = withLicences(["react", "react-dom", "scheduler"], app);
// In this order: the later ones change the earlier ones.
const STYLES = ["ground", "frame", "controls", "records", "dialogs", "screens"];
const style = STYLES.map((name) => readFileSync(join(source, "styles", `${name}.css`), "utf8")).join("");
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
mkdirSync(join(folder, "assets"), { recursive: true });
const files = {
  [scriptName]: script,
  [eventsName]: eventsWorker,
  [proofName]: proofWorker,
  [styleName]: style,
  "index.html": page,
};
const names = Object.keys(files);
for (const [name, text] of [...Object.entries(files), ["files.json", JSON.stringify(names)]]) replace(name, text);
// What a build before this one left. Two builds at the same time write the same files.
for (const name of readdirSync(join(folder, "assets")))
  if (!names.includes(`assets/${name}`) && !name.endsWith(".new"))
    rmSync(join(folder, "assets", name), { force: true });

/** A reader sees the old file or the new one, whole. */
function replace(name, text) {
  const aside = join(folder, `${name}.${process.pid}.new`);
  writeFileSync(aside, text);
  renameSync(aside, join(folder, name));
}

function hashed(name, text, ending) {
  return `assets/${name}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}.${ending}`;
}

/** What is in a script of others comes with their licence. */
function withLicences(names, code) {
  const licences = names.map((name) => `${name}\n\n${readFileSync(join(modules, name, "LICENSE"), "utf8").trim()}`);
  return `/*!\n${licences.join("\n\n")}\n*/\n${code}`;
}
