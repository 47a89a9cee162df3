// The built program in a few files: `node tools/bundle.js [FOLDER]`, after a build; into packages/sallyport/dist/program
// unless told. Node takes about half a millisecond for each file it loads, and a gateway that listens has loaded 400 of
// ours. Only our own code goes in: dependencies stay packages, to be seen, audited and replaced as such. Nothing is
// minified and nothing left out, so that what runs reads as what was built.
import { readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const dist = fileURLToPath(new URL("../packages/sallyport/dist/", import.meta.url));
const folder = resolve(process.argv[2] ?? join(dist, "program"));
/** Threads are started by the address of their file, beside whoever starts them. */
const entries = [
  "main.js",
  "store/writer/writer-thread.js",
  "store/search/audit-thread.js",
  "store/state/state-thread.js",
  "identity/local/hash-thread.js",
  "access/policy-text-thread.js",
];

const bundle = await rolldown({
  input: entries.map((entry) => join(dist, entry)),
  platform: "node",
  treeshake: false,
  external: (id) => !/^(?:\.|\/|[A-Za-z]:|@sallyport\/)/.test(id),
  onLog(level, log) {
    throw new Error(`${level}: ${log.message}`);
  },
});
const { output } = await bundle.write({
  dir: folder,
  format: "esm",
  entryFileNames: "[name].js",
  // No hash: a running program finds its later parts also after it was built again, as it does in `dist`.
  chunkFileNames: "[name].js",
});
await bundle.close();
const kept = new Set(output.map(({ fileName }) => fileName));
for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name), { recursive: true });
const outside = output.filter(({ fileName }) => dirname(fileName) !== ".");
if (outside.length > 0) throw new Error(`not beside the others: ${outside.map(({ fileName }) => fileName).join(", ")}`);
