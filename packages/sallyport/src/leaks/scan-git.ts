/**
 * Scans a git repository: what is committed now, everything that was ever committed, what is staged, or what a push
 * would add. Each blob is scanned once.
 */
import { askGit, readObjects } from "./git-objects.ts";
import type { Repository } from "./git-objects.ts";
import type { Leak } from "./scan-content.ts";
import { scanWhole } from "./scan-source.ts";
import type { ScanListener } from "./scan-source.ts";

export type GitScope =
  | { readonly kind: "head" | "history" | "staged" }
  /** What these revisions contain and no branch or tag does yet. */
  | { readonly kind: "pushed"; readonly revisions: readonly string[] };

interface Listed {
  readonly ids: readonly string[];
  /** Where a listing names files. */
  readonly names: ReadonlyMap<string, string>;
}

const WITH_TEXT = new Set(["blob", "commit", "tag"]);
const OBJECT_ID = /^[0-9a-f]{40,64}$/;
const NULL_ID = /^0+$/;

/** Returns the number of objects that were scanned. */
export async function scanGit(
  repository: Repository,
  scope: GitScope,
  listener: ScanListener,
  onTurn: () => Promise<void>,
): Promise<number> {
  const { ids, names } = await list(repository, scope);
  const unnamed: Leak[] = [];
  let count = 0;
  for await (const { id, type, bytes, size } of readObjects(repository, ids)) {
    const name = names.get(id);
    if (bytes === undefined)
      listener.onSkip(
        name ?? id,
        size > 0 ? `an object of ${size} bytes is too large` : `git cannot read object ${id}`,
      );
    else if (WITH_TEXT.has(type)) {
      count++;
      const file = name ?? `${type} ${id}`;
      scanWhole(bytes, file, {
        ...listener,
        onLeak: (leak) => (name === undefined && type === "blob" ? unnamed.push(leak) : listener.onLeak(leak)),
      });
    }
    await onTurn();
  }
  if (unnamed.length > 0) await reportNamed(repository, unnamed, listener);
  return count;
}

function list(repository: Repository, scope: GitScope): Promise<Listed> {
  switch (scope.kind) {
    case "head":
      return listHead(repository);
    case "history":
      return listAll(repository);
    case "staged":
      return listStaged(repository);
    case "pushed":
      return listPushed(repository, scope.revisions);
  }
}

async function listHead(repository: Repository): Promise<Listed> {
  const names = new Map<string, string>();
  // A repository without a commit has no files.
  const hasHead = await askGit(repository, ["rev-parse", "--verify", "--quiet", "HEAD"]).catch(() => "");
  if (hasHead === "") return { ids: [], names };
  for (const entry of (await askGit(repository, ["ls-tree", "-r", "-z", "--full-tree", "HEAD"])).split("\0")) {
    const tab = entry.indexOf("\t");
    const [, type = "", id = ""] = entry.slice(0, Math.max(0, tab)).split(" ");
    if (type === "blob") names.set(id, entry.slice(tab + 1));
  }
  return { ids: [...names.keys()], names };
}

async function listAll(repository: Repository): Promise<Listed> {
  const format = "--batch-check=%(objectname)";
  const text = await askGit(repository, ["cat-file", "--batch-all-objects", "--unordered", format]);
  return { ids: text.split("\n").filter((line) => OBJECT_ID.test(line)), names: new Map() };
}

async function listStaged(repository: Repository): Promise<Listed> {
  const words = [
    "diff",
    "--cached",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    "--diff-filter=ACMT",
  ];
  const fields = (await askGit(repository, words)).split("\0");
  const names = new Map<string, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    // `:MODE MODE OLD NEW STATUS`; a submodule has no blob.
    const [, mode = "", , id = ""] = fields[at]!.split(" ");
    if (OBJECT_ID.test(id) && !NULL_ID.test(id) && mode !== "160000") names.set(id, fields[at + 1]!);
  }
  return { ids: [...names.keys()], names };
}

async function listPushed(repository: Repository, revisions: readonly string[]): Promise<Listed> {
  const wanted = revisions.filter((revision) => !NULL_ID.test(revision));
  if (wanted.length === 0) return { ids: [], names: new Map() };
  const words = ["rev-list", "--objects", "--end-of-options", ...wanted];
  // In front of `--end-of-options` only options count, so the exclusion of known commits comes first.
  words.splice(2, 0, "--not", "--all", "--not");
  return namedObjects(await askGit(repository, words));
}

/** `ID PATH` a line; a commit has no path. */
function namedObjects(text: string): Listed {
  const names = new Map<string, string>();
  const ids: string[] = [];
  for (const line of text.split("\n")) {
    const [id = ""] = line.split(" ", 1);
    if (!OBJECT_ID.test(id)) continue;
    ids.push(id);
    if (line.length > id.length + 1) names.set(id, line.slice(id.length + 1));
  }
  return { ids, names };
}

/** The names of blobs are looked up only if one of them has a key. A blob that no commit reaches has its id as name. */
async function reportNamed(repository: Repository, leaks: readonly Leak[], { onLeak }: ScanListener): Promise<void> {
  const text = await askGit(repository, ["rev-list", "--objects", "--all", "--reflog"]).catch(() => "");
  const { names } = namedObjects(text);
  for (const leak of leaks) {
    const [, id = "", inner = ""] = /^blob ([0-9a-f]+)([^]*)$/.exec(leak.file) ?? [];
    const name = names.get(id);
    onLeak(name === undefined ? leak : { ...leak, file: `${name}@${id.slice(0, 12)}${inner}` });
  }
}
