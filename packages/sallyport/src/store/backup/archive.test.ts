import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readArchive, writeArchive } from "./archive.ts";

interface File {
  readonly name: string;
  readonly content: Buffer;
}

async function* entriesOf(files: readonly File[], bytes?: number) {
  for (const { name, content } of files)
    yield {
      name,
      bytes: bytes ?? content.length,
      content: (async function* chunks() {
        for (let at = 0; at < content.length; at += 700) yield content.subarray(at, at + 700);
      })(),
    };
}

async function written(files: readonly File[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeArchive(entriesOf(files))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function read(archive: Buffer, step = 333): Promise<readonly File[]> {
  const files: File[] = [];
  const chunks = (async function* pieces() {
    for (let at = 0; at < archive.length; at += step) yield archive.subarray(at, at + step);
  })();
  for await (const { name, content } of readArchive(chunks)) {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    files.push({ name, content: Buffer.concat(parts) });
  }
  return files;
}

const file = fc.record({
  name: fc.stringMatching(/^[a-z][a-z0-9/.-]{0,60}$/),
  content: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
});

describe("the archive", () => {
  it("is read as it was written, in whatever pieces it comes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(file, { maxLength: 5 }), fc.integer({ min: 1, max: 4_000 }), async (files, step) => {
        expect(await read(await written(files), step)).toEqual(files);
      }),
      { numRuns: 60 },
    );
  });

  it("is what tar reads", async () => {
    const archive = await written([
      { name: "a/b.txt", content: Buffer.from("hello") },
      { name: "empty", content: Buffer.alloc(0) },
    ]);
    const listed = spawnSync("tar", ["-tf", "-"], { input: archive, encoding: "utf8" });
    expect(listed.stdout).toBe("a/b.txt\nempty\n");
  });

  it("says the size of a file beyond 8 GiB", async () => {
    const bytes = 9 * 1024 ** 3;
    const writing = writeArchive(entriesOf([{ name: "large", content: Buffer.alloc(0) }], bytes));
    const header = (await writing.next()).value as Uint8Array;
    const reading = readArchive(
      (async function* one() {
        yield header;
      })(),
    );
    expect((await reading.next()).value).toMatchObject({ name: "large", bytes });
  });

  it("does not take a file that grew or shrank under it", async () => {
    const writing = writeArchive(entriesOf([{ name: "a", content: Buffer.from("abc") }], 4));
    await expect(
      (async () => {
        for await (const chunk of writing) expect(chunk).toBeDefined();
      })(),
    ).rejects.toMatchObject({ code: "conflict" });
  });

  it("is refused cut anywhere, or with more behind it", async () => {
    const archive = await written([{ name: "a", content: Buffer.from("abc") }]);
    for (let length = 0; length < archive.length; length += 64)
      await expect(read(archive.subarray(0, length))).rejects.toMatchObject({ code: "input_invalid" });
    await expect(read(Buffer.concat([archive, Buffer.from("x")]))).rejects.toMatchObject({ code: "input_invalid" });
  });

  it("is refused with any byte of its headers changed", async () => {
    const content = Buffer.from("abc");
    const archive = await written([{ name: "a", content }]);
    for (let at = 0; at < archive.length; at++) {
      if (at >= 512 && at < 512 + content.length) continue;
      const changed = Buffer.from(archive);
      changed[at]! ^= 0x11;
      await expect(read(changed, 4_096)).rejects.toMatchObject({ code: "input_invalid" });
    }
  });
});
