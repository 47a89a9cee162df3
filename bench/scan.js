// How fast and how completely the scanner finds our keys: `node bench/scan.js [--json] [--keys N] [--folder DIR]`.
// `mbPerSecond` is the pass over bytes in memory, for each second of processor time; `withDecoders` the whole scan of the
// same bytes. `recall` is over keys in every form of `testdata/leaks/embeddings.js`; `falseHits` over the folder's files
// (default: node_modules) and random text of key characters. `cpuSeconds` is the command on that folder.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findKeys, formatKeyText } from "../packages/protocol/dist/index.js";
import { ScanBudget } from "../packages/sallyport/dist/leaks/scan-budget.js";
import { scanContent } from "../packages/sallyport/dist/leaks/scan-content.js";
import { embeddings } from "../testdata/leaks/embeddings.js";

const { values } = parseArgs({
  options: {
    json: { type: "boolean" },
    keys: { type: "string", default: "10000" },
    folder: { type: "string", default: "node_modules" },
    megabytes: { type: "string", default: "200" },
  },
});
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ROUNDS = 5;
const word = (length) => Array.from(randomBytes(length), (byte) => BASE62[byte % 62]).join("");

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

function readSome() {
  const buffers = [];
  let size = 0;
  for (const path of filesBelow(values.folder)) {
    if (statSync(path).size > 8_000_000) continue;
    const bytes = readFileSync(path);
    buffers.push(bytes);
    size += bytes.length;
    if (size > Number(values.megabytes) * 1e6) break;
  }
  return { buffers, size };
}

/** MB for each second of processor time; the median of some rounds. */
function measure(size, work, rounds = ROUNDS) {
  const rates = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return size / (user + system);
  });
  return Math.round(rates.sort((a, b) => a - b)[rounds >> 1]);
}

function recall() {
  const forms = Object.entries(embeddings);
  const missed = [];
  const total = Math.max(Number(values.keys), forms.length);
  for (let i = 0; i < total; i++) {
    const [form, embed] = forms[i % forms.length];
    const id = word(12);
    const prefix = ["sp", "spa", "spt", "spe", "spp"][i % 5];
    const key = formatKeyText(prefix, `e${word(i % 16).toLowerCase()}`, id, word(43));
    let isFound = false;
    scanContent(embed(key, word(60)), "file", new ScanBudget(), (leak) => (isFound ||= leak.keyId === id));
    if (!isFound) missed.push(form);
  }
  return { recall: 1 - missed.length / total, forms: forms.length, missed: [...new Set(missed)] };
}

const { buffers, size } = readSome();
const mbPerSecond = measure(size, () => {
  for (const bytes of buffers) findKeys(bytes, () => {});
});
let falseHits = 0;
const count = () => falseHits++;
const withDecoders = measure(
  size,
  () => {
    for (const bytes of buffers) scanContent(bytes, "file", new ScanBudget(), count);
  },
  1,
);
scanContent(Buffer.from(word(20_000_000)), "random", new ScanBudget(), count);
const command = ["packages/sallyport/bin/sallyport.js", "scan", values.folder, "--offline", "--json"];
const child = spawnSync("bash", ["-c", 'TIMEFORMAT="%U %S"; time "$0" "$@" >/dev/null', process.execPath, ...command], {
  encoding: "utf8",
});
const [user = NaN, system = NaN] = child.stderr.trim().split("\n").at(-1).split(" ").map(Number);
const result = {
  mbPerSecond,
  withDecoders,
  ...recall(),
  falseHits,
  scannedMegabytes: Math.round(size / 1e6),
  cpuSeconds: { sallyport: Number((user + system).toFixed(2)) },
};
if (values.json) console.log(JSON.stringify(result));
else console.table(result);
