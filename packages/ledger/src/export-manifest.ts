/**
 * What an export says of itself, signed by the node that made it: what it was made of, and every file with its hash. A
 * file that is missing, and one that is not named, is damage as much as one that was changed.
 */
import { isEnvironmentName } from "@sallyport/protocol";
import type { EnvironmentName } from "@sallyport/protocol";
import { base64Of, bytesOfBase64 } from "./base64.ts";
import { formatTreeState, parseTreeState } from "./merkle-tree.ts";
import type { TreeState } from "./merkle-tree.ts";
import { isTreeHash } from "./tree-hash.ts";
import { textOfUtf8, utf8Of } from "./utf8.ts";

export const exportFormats = ["tiles", "jsonl", "ocsf"] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportedLog {
  readonly environment: EnvironmentName;
  /** Before its first record that is kept. */
  readonly base: TreeState;
  /** Verifier key of that time. */
  readonly firstKey: string;
  /** Its newest checkpoint, signed. */
  readonly checkpoint: string;
}

export interface ExportedFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ExportManifest {
  readonly node: string;
  /** Verifier key of the node, as it says itself: the manifest is signed by it, or by the one the reader knows. */
  readonly key: string;
  readonly format: ExportFormat;
  /** Epoch ms. */
  readonly at: number;
  /** The last record, and the hash of its line. */
  readonly head: { readonly seq: number; readonly hash: string };
  /** Records from this number on are in logs. */
  readonly from: number;
  readonly logs: readonly ExportedLog[];
  readonly files: readonly ExportedFile[];
}

const FIRST_LINE = "sallyport-export/v1";
const FILE_PATH = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;

/** The text that is signed. */
export function formatExportManifest({ node, key, format, at, head, from, logs, files }: ExportManifest): string {
  return [
    FIRST_LINE,
    `node ${node}`,
    `key ${key}`,
    `format ${format}`,
    `at ${at}`,
    `head ${head.seq} ${head.hash}`,
    `from ${from}`,
    ...logs.map(
      ({ environment, base, firstKey, checkpoint }) =>
        `log ${environment} ${formatTreeState(base)} ${firstKey} ${base64Of(utf8Of(checkpoint))}`,
    ),
    ...files.map(({ path, bytes, sha256 }) => `file ${sha256} ${bytes} ${path}`),
    "",
  ].join("\n");
}

/** Reads the text strictly; undefined unless it is what `formatExportManifest()` writes for what it says. */
export function parseExportManifest(text: string): ExportManifest | undefined {
  const lines = text.split("\n");
  const word = (at: number, name: string): string | undefined =>
    lines[at]?.startsWith(`${name} `) ? lines[at].slice(name.length + 1) : undefined;
  const format = exportFormats.find((one) => one === word(3, "format"));
  const [seq = "", hash] = word(5, "head")?.split(" ") ?? [];
  const rest = lines.slice(7, -1);
  const logLines = rest.filter((line) => line.startsWith("log "));
  const logs = logLines.map(parseLog);
  const files = rest.slice(logLines.length).map(parseFile);
  if (!format || !isTreeHash(hash) || !isWhole(logs) || !isWhole(files)) return undefined;
  const manifest = {
    node: word(1, "node") ?? "",
    key: word(2, "key") ?? "",
    format,
    at: Number(word(4, "at")),
    head: { seq: Number(seq), hash },
    from: Number(word(6, "from")),
    logs,
    files,
  };
  return formatExportManifest(manifest) === text ? manifest : undefined;
}

function parseLog(line: string): ExportedLog | undefined {
  const [, environment = "", state = "", firstKey = "", encoded = ""] = line.split(" ");
  const base = parseTreeState(state);
  const bytes = bytesOfBase64(encoded);
  if (!isEnvironmentName(environment) || !base || !bytes) return undefined;
  const checkpoint = textOfUtf8(bytes);
  return checkpoint === undefined ? undefined : { environment, base, firstKey, checkpoint };
}

function parseFile(line: string): ExportedFile | undefined {
  const [, sha256, bytes = "", path = ""] = /^file ([0-9a-f]{64}) (\d{1,15}) (.+)$/.exec(line) ?? [];
  return sha256 !== undefined && FILE_PATH.test(path) ? { path, bytes: Number(bytes), sha256 } : undefined;
}

function isWhole<T>(list: readonly (T | undefined)[]): list is readonly T[] {
  return list.every((one) => one !== undefined);
}
