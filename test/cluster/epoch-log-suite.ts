/** What every implementation of the epoch log must do. Each test gets a log of its own, and as many sessions as it asks for. */
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeBase, makeEntry, mistakeOfBase, mistakeOfEntry } from "../program-under-test.ts";
import type { EntryDraft, EntrySigner, EpochEntry, EpochLog, LogHead } from "../program-under-test.ts";

export interface LogPlace {
  /** Another machine's way to the same log. */
  open(): EpochLog;
}

export const DEPLOYMENT = "AbCdEf123456";

export function makeSigner(): EntrySigner {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64"),
    isGenuine: (text, signature) => verify(null, Buffer.from(text), publicKey, Buffer.from(signature, "base64")),
  };
}

export function draftOf(name: string): EntryDraft {
  return {
    author: "node1",
    at: 1_700_000_000_000,
    version: 1,
    program: "sallyport/0.1.0",
    operations: JSON.stringify([{ op: "role.remove", name }]),
    events: JSON.stringify([`{"type":"role.changed","name":${JSON.stringify(name)}}`]),
  };
}

/** Entries with these names after `head`, as the sequencer with the token `fence` makes them. */
export function entriesAfter(
  signer: EntrySigner,
  head: LogHead,
  fence: number,
  names: readonly string[],
): EpochEntry[] {
  const entries: EpochEntry[] = [];
  for (const name of names) entries.push(makeEntry(signer, DEPLOYMENT, entries.at(-1) ?? head, fence, draftOf(name)));
  return entries;
}

export function describeEpochLog(what: string, place: () => Promise<LogPlace>): void {
  describe(`the epoch log ${what}`, () => {
    const signer = makeSigner();
    const base = makeBase(signer, DEPLOYMENT, 7, "0".repeat(64));
    const opened: EpochLog[] = [];
    let here: LogPlace;
    const open = (): EpochLog => {
      const log = here.open();
      opened.push(log);
      return log;
    };
    beforeEach(async () => {
      here = await place();
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });

    it("is not there before it is begun, and is begun once", async () => {
      const [one, two] = [open(), open()];
      expect(await one.state()).toBeUndefined();
      const other = makeBase(signer, "otherotherot", 1, "1".repeat(64));
      // Both connected, so that they begin at the same time.
      const begun = await Promise.all([one.begin(base), two.begin(other), one.begin(base), two.begin(other)]);
      expect(begun.filter(Boolean)).toHaveLength(1);
      const state = await two.state();
      expect(mistakeOfBase(signer, state!.base)).toBeUndefined();
      expect(state).toMatchObject({ epoch: state!.base.epoch, head: state!.base.head, fence: 0, isClosed: false });
    });

    it("takes entries in order, from one sequencer at a time, and gives them back as they were", async () => {
      const [one, two] = [open(), open()];
      await one.begin(base);
      const right = await one.acquire("http://one");
      expect(await two.acquire("http://two")).toBeUndefined();
      const hostile = ["a'b\"c\\d", "\u0000\ud800 {,}", "x".repeat(100_000), "NULL", ""];
      const first = entriesAfter(signer, base, right!.fence, hostile);
      expect(await right!.append(first, base)).toBe("appended");
      const second = entriesAfter(signer, first.at(-1)!, right!.fence, ["later"]);
      expect(await right!.append(second, first.at(-1)!)).toBe("appended");
      const read = [...(await two.read(7, 3)), ...(await two.read(10, 100))];
      expect(read).toEqual([...first, ...second]);
      let before: LogHead = base;
      for (const entry of read) {
        expect(mistakeOfEntry(signer, DEPLOYMENT, before, entry)).toBeUndefined();
        before = entry;
      }
      expect(await two.state()).toMatchObject({ epoch: 13, head: second[0]!.head, holder: "http://one" });
    });

    it("takes nothing where the head is another one, and no epoch twice", async () => {
      const log = open();
      await log.begin(base);
      const right = (await log.acquire(""))!;
      const [first] = entriesAfter(signer, base, right.fence, ["first"]);
      expect(await right.append([first!], base)).toBe("appended");
      const rival = entriesAfter(signer, base, right.fence, ["rival", "and its next"]);
      expect(await right.append(rival, base)).toBe("head_moved");
      expect(await right.append(rival, { epoch: first!.epoch, head: rival[0]!.head })).toBe("head_moved");
      expect(await log.read(0, 10)).toEqual([first]);
    });

    it("gives a new sequencer a newer token, and the deposed one never appends again", async () => {
      const [one, two] = [open(), open()];
      await one.begin(base);
      const old = (await one.acquire("http://one"))!;
      const [first] = entriesAfter(signer, base, old.fence, ["first"]);
      await old.append([first!], base);
      await old.release();
      const next = (await two.acquire("http://two"))!;
      expect(next.fence).toBeGreaterThan(old.fence);
      expect(next.state).toMatchObject({ epoch: 8, head: first!.head });
      const late = entriesAfter(signer, first!, old.fence, ["late"]);
      const outcome = await old.append(late, first!).catch((cause: { code: string }) => cause.code);
      expect(["deposed", "log_unavailable"]).toContain(outcome);
      const renewed = await old.renew("http://one").catch((cause: { code: string }) => cause.code);
      expect([false, "log_unavailable"]).toContain(renewed);
      expect(await next.renew("http://two:2")).toBe(true);
      expect(await one.read(0, 10)).toEqual([first]);
      expect(await one.state()).toMatchObject({ holder: "http://two:2", fence: next.fence });
    });

    it("that was ended takes no more entries and no sequencer", async () => {
      const [one, two] = [open(), open()];
      await one.begin(base);
      const right = (await one.acquire(""))!;
      expect(await one.end(right, { epoch: 6, head: base.head.replace(/^./, "x") })).toBe(false);
      expect(await one.end(right, base)).toBe(true);
      expect(await right.append(entriesAfter(signer, base, right.fence, ["late"]), base)).toBe("deposed");
      await right.release();
      expect(await two.acquire("")).toBeUndefined();
      expect(await two.state()).toMatchObject({ isClosed: true, epoch: 7 });
    });
  });
}
