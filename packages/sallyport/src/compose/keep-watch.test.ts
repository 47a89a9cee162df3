import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { observe } from "../anomaly/observation.ts";
import type { Observation } from "../anomaly/observation.ts";
import { KeyWatch } from "../anomaly/watch/key-watch.ts";
import type { KeptWatch } from "../anomaly/watch/key-watch.ts";
import type { KeyRecord } from "../keys/key.ts";
import { forgetOldKeys, isKeyOver, keepWatch, piecesOf } from "./keep-watch.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 24, 12);

const used = (key: string, at: number, environment = "dev"): Observation =>
  observe({
    kind: "exchange",
    at,
    environment,
    key,
    address: "192.0.2.7",
    client: "curl",
    model: "llama3.2",
    request: "r1",
  });

const watching = (count: number): KeyWatch => {
  const watch = new KeyWatch();
  for (let n = 0; n < count; n++) watch.see(used(`k${n}`, NOW + n));
  return watch;
};

describe("what was learned", () => {
  let path: string;
  beforeEach(() => {
    const directory = mkdtempSync(join(tmpdir(), "sallyport-watch-"));
    path = join(directory, "watch.json");
    return () => rmSync(directory, { recursive: true });
  });

  it.each([0, 1, 31, 32, 33, 100])("is kept whole and read again: %i keys", async (count) => {
    const watch = watching(count);
    await keepWatch(watch, [], path);
    const kept = JSON.parse(readFileSync(path, "utf8")) as KeptWatch;
    expect(kept).toEqual(JSON.parse(JSON.stringify({ ...watch.keepRest(), alerts: [], keys: [...watch.keepKeys()] })));
    const other = new KeyWatch();
    expect(other.restore(kept, NOW)).toBe(true);
    expect(other.size).toBe(count);
  });

  it("is written some keys at a time, so that no request waits for all of them", async () => {
    const pieces: Buffer[] = [];
    for await (const piece of piecesOf(watching(1_000), [])) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(30);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(512 * 1024);
  });

  it("stays as it was where it cannot be written, and leaves nothing half done", async () => {
    writeFileSync(path, "before");
    const watch = watching(40);
    watch.keepRest = () => {
      throw new Error("broken");
    };
    await expect(keepWatch(watch, [], path)).rejects.toThrow("broken");
    expect(readFileSync(path, "utf8")).toBe("before");
    expect(readdirSync(join(path, ".."))).toEqual(["watch.json"]);
  });
});

describe("of keys that are watched", () => {
  const forget = async (watch: KeyWatch, days: number, gone: readonly string[]): Promise<readonly string[]> => {
    let turns = 0;
    const turn = async (): Promise<void> => void turns++;
    await forgetOldKeys(watch, { now: NOW + days * DAY_MS, isGone: (_, key) => gone.includes(key), turn });
    expect(turns).toBe(Math.floor(watch.size / 32));
    return [...watch.seen()].map(({ environment, key }) => `${environment}/${key}`);
  };

  it.each([
    [0.9, ["dev/k0", "dev/k1", "system/k0"]],
    [1.1, ["dev/k1", "system/k0"]],
    [179, ["dev/k1", "system/k0"]],
    [181, []],
  ])("those that are gone are forgotten after a day, the others after half a year: day %d", async (days, left) => {
    const watch = watching(2);
    watch.see(used("k0", NOW, "system"));
    expect(await forget(watch, days, ["k0"])).toEqual(left);
  });

  it("nothing is held of keys that come and go", async () => {
    const watch = new KeyWatch();
    for (let n = 0; n < 40; n++) {
      watch.see(used(`k${n}`, NOW + n * DAY_MS));
      await forgetOldKeys(watch, { now: NOW + n * DAY_MS + 1, isGone: () => true, turn: async () => {} });
      expect(watch.size).toBeLessThanOrEqual(2);
    }
  });

  it("is gone what was never there, is revoked or has ended; not what is suspended", () => {
    const key = (state: KeyRecord["state"], expiresAt: number | null): KeyRecord =>
      newKey({ state, secrets: [{ state: "active", expiresAt }] });
    expect(isKeyOver(undefined, NOW)).toBe(true);
    expect(isKeyOver(key("revoked", null), NOW)).toBe(true);
    expect(isKeyOver(key("active", NOW), NOW)).toBe(true);
    expect(isKeyOver(key("active", NOW + 1), NOW)).toBe(false);
    expect(isKeyOver(key("active", null), NOW)).toBe(false);
    expect(isKeyOver(key("suspended", null), NOW)).toBe(false);
  });
});

/** What is asked of it, and no more. */
function newKey(said: {
  state: KeyRecord["state"];
  secrets: readonly { state: "active"; expiresAt: number | null }[];
}) {
  return said as unknown as KeyRecord;
}
