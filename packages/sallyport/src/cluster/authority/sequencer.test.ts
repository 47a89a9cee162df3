import { describe, expect, it } from "vitest";
import { makeBase } from "./epoch-entry.ts";
import type { EntryDraft, EntrySigner } from "./epoch-entry.ts";
import type { SequencerRight } from "./epoch-log.ts";
import { MemoryEpochLog, MemoryEpochs } from "./memory-epoch-log.ts";
import { Sequencer } from "./sequencer.ts";

const signer: EntrySigner = {
  sign: (text) => `of ${text}`,
  isGenuine: (text, signature) => signature === `of ${text}`,
};
const draft: EntryDraft = { author: "n", at: 1, version: 1, program: "p", operations: "[]", events: "[]" };

async function begun(): Promise<{ shared: MemoryEpochs; log: MemoryEpochLog; right: SequencerRight }> {
  const shared = new MemoryEpochs();
  const log = new MemoryEpochLog(shared);
  await log.begin(makeBase(signer, "AbCdEf123456", 3, "0".repeat(64)));
  return { shared, log, right: (await log.acquire(""))! };
}

describe("a sequencer", () => {
  it("gives epochs in order, without a gap, also in the groups that form while an append is under way", async () => {
    const { log, right } = await begun();
    const sizes: number[] = [];
    let answer: (() => void) | null = null;
    const slow: SequencerRight = {
      ...right,
      append: async (entries, expected) => {
        sizes.push(entries.length);
        if (sizes.length === 1) await new Promise<void>((resolve) => (answer = resolve));
        return right.append(entries, expected);
      },
    };
    const sequencer = new Sequencer(slow, signer);
    const first = sequencer.append(draft);
    await Promise.resolve();
    await Promise.resolve();
    const others = Array.from({ length: 9 }, () => sequencer.append(draft));
    answer!();
    const epochs = (await Promise.all([first, ...others])).map(({ epoch }) => epoch);
    expect(epochs).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(sizes).toEqual([1, 9]);
    expect(await log.read(3, 100)).toHaveLength(10);
  });

  it("that hears nothing of an append never appends again, and rejects what waits", async () => {
    const { shared, log, right } = await begun();
    const lost: SequencerRight = {
      ...right,
      append: async (entries, expected) => {
        await right.append(entries, expected);
        throw new Error("connection lost");
      },
    };
    const sequencer = new Sequencer(lost, signer);
    const outcomes = await Promise.allSettled([sequencer.append(draft), sequencer.append(draft)]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(sequencer.isOver).toBe(true);
    // It is in the log: who reads it finds out.
    expect(shared.entries).toHaveLength(2);
    await expect(sequencer.append(draft)).rejects.toMatchObject({ code: "log_unavailable" });
    expect(await log.read(0, 10)).toHaveLength(2);
  });

  it("that is deposed says so, and writes nothing", async () => {
    const { shared, right } = await begun();
    const sequencer = new Sequencer(right, signer);
    shared.fence++;
    await expect(sequencer.append(draft)).rejects.toMatchObject({ code: "authority_standby" });
    await expect(sequencer.append(draft)).rejects.toMatchObject({ code: "authority_standby" });
    expect(shared.entries).toEqual([]);
  });
});
