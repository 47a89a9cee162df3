/** Makes a backup: one archive in a new folder, encrypted unless plain text was requested. Complete or absent. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Problem } from "@sallyport/protocol";
import { systemCodeOf } from "../../kernel/system-code.ts";
import type { Clock } from "../../kernel/clock.ts";
import { makeSeal } from "../secrets/age.ts";
import type { AgeRecipient } from "../secrets/age.ts";
import { writeArchive } from "./archive.ts";
import type { ArchiveEntry } from "./archive.ts";
import { entriesOf, gatherContents, SegmentGone } from "./backup-contents.ts";
import type { Contents, Part } from "./backup-contents.ts";
import { dataPaths } from "../disk/data-paths.ts";
import { syncDirectory, writeStream } from "../disk/durable-file.ts";
import { MANIFEST_NAME, PLAIN_NAME, SEALED_NAME } from "./manifest.ts";
import type { Manifest, ManifestFile } from "./manifest.ts";

const ATTEMPTS = 60;

export interface BackupOrder {
  readonly directory: string;
  /** Empty, or not there yet. */
  readonly folder: string;
  /** Null = in the clear. */
  readonly to: AgeRecipient | null;
  /** The key-encryption key is the directory's own file: an encrypted archive includes it. */
  readonly isOwnKek: boolean;
  /** Of the program. */
  readonly version: string;
  readonly clock: Pick<Clock, "now">;
  /** Called with the bytes of content copied, of all that will be. */
  readonly onProgress?: (bytes: number, total: number) => void;
}

export interface Backup {
  readonly path: string;
  readonly bytes: number;
  readonly hasKek: boolean;
  readonly manifest: Manifest;
}

/** Throws `conflict` where the folder holds anything, and while keys are being changed. */
export async function backUpDirectory(order: BackupOrder): Promise<Backup> {
  const paths = dataPaths(order.directory);
  const seal = order.to && makeSeal(order.to);
  if (!existsSync(paths.dataKeys))
    throw new Problem("conflict", "the secrets are not encrypted yet: start the server once, which encrypts them");
  if (entriesOf(order.folder).length > 0)
    throw new Problem("conflict", `${order.folder} holds other things: name an empty folder`);
  const hasKek = order.isOwnKek && seal !== null;
  mkdirSync(order.folder, { recursive: true, mode: 0o700 });
  const path = join(order.folder, seal ? SEALED_NAME : PLAIN_NAME);
  const aside = `${path}.tmp`;
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        const contents = gatherContents(paths, { withKek: hasKek });
        const archive = new Archive(contents, order);
        try {
          const bytes = writeArchive(archive.entries());
          rmSync(aside, { force: true });
          await writeStream(aside, seal ? await seal(bytes) : bytes);
        } finally {
          contents.close();
        }
        renameSync(aside, path);
        syncDirectory(order.folder);
        return { path, bytes: statSync(path).size, hasKek, manifest: archive.manifest };
      } catch (error) {
        const isGone = error instanceof SegmentGone || systemCodeOf(error) === "ENOENT";
        if (!isGone || attempt >= ATTEMPTS) throw error;
      }
    }
  } finally {
    rmSync(aside, { force: true });
  }
}

/** The entries in their order, the manifest last: it is known when everything else has gone by. */
class Archive {
  readonly #contents: Contents;
  readonly #onBytes: (bytes: number) => void;
  readonly #files: ManifestFile[] = [];
  readonly manifest: Manifest;

  constructor(contents: Contents, { version, clock, onProgress }: BackupOrder) {
    this.#contents = contents;
    const total = onProgress ? contents.parts.reduce((sum, { from }) => sum + bytesOf(from), 0) : 0;
    let copied = 0;
    this.#onBytes = (bytes) => onProgress?.((copied += bytes), total);
    const { facts } = contents;
    this.manifest = { format: "sallyport backup 1", version, createdAt: clock.now(), ...facts, files: this.#files };
  }

  async *entries(): AsyncGenerator<ArchiveEntry> {
    for (const part of this.#contents.parts) yield this.#entry(part);
    const text = Buffer.from(`${JSON.stringify(this.manifest, null, 2)}\n`);
    yield { name: MANIFEST_NAME, bytes: text.length, content: Readable.from([text]) };
  }

  #entry({ name, from }: Part): ArchiveEntry {
    const [bytes, chunks] = "content" in from ? [from.content.length, Readable.from([from.content])] : readFile(from);
    const files = this.#files;
    const onBytes = this.#onBytes;
    return {
      name,
      bytes,
      content: (async function* content() {
        const sum = createHash("sha256");
        for await (const chunk of chunks as AsyncIterable<Buffer>) {
          sum.update(chunk);
          yield chunk;
          onBytes(chunk.length);
        }
        files.push({ name, bytes, sha256: sum.digest("hex") });
      })(),
    };
  }
}

function bytesOf(from: Part["from"]): number {
  if ("content" in from) return from.content.length;
  return "handle" in from ? fstatSync(from.handle).size : statSync(from.path).size;
}

/** The file's size and content. A file that was opened by the collecting code is closed by it. */
function readFile(from: { readonly path: string } | { readonly handle: number }): [number, Readable] {
  const fd = "handle" in from ? from.handle : openSync(from.path, "r");
  return [fstatSync(fd).size, createReadStream("", { fd, autoClose: "path" in from, start: 0 })];
}
