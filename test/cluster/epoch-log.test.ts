/** The epoch log in memory and in a real PostgreSQL: the same suite, then what only a database can do wrong. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  makeBase,
  MemoryEpochLog,
  MemoryEpochs,
  mistakeOfBase,
  mistakeOfEntry,
  parsePostgresAddress,
  PostgresEpochLog,
  Sequencer,
} from "../program-under-test.ts";
import type { EpochEntry, LogHead } from "../program-under-test.ts";
import { DEPLOYMENT, describeEpochLog, draftOf, entriesAfter, makeSigner } from "./epoch-log-suite.ts";
import { openLink } from "./link.ts";
import { runSql, startPostgres } from "./postgres-server.ts";
import type { PostgresServer } from "./postgres-server.ts";

describeEpochLog("in memory", async () => {
  const shared = new MemoryEpochs();
  return { open: () => new MemoryEpochLog(shared) };
});

describe("PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server.close();
  });
  const openAt = (address: string): PostgresEpochLog => new PostgresEpochLog(parsePostgresAddress(address)!);

  describeEpochLog("in PostgreSQL", async () => {
    const address = await server.makeDatabase();
    return { open: () => openAt(address) };
  });

  const signer = makeSigner();
  const base = makeBase(signer, DEPLOYMENT, 0, "0".repeat(64));

  it("frees the right when the sequencer's session is lost, and the next one deposes it for ever", async () => {
    const address = await server.makeDatabase();
    const [one, two] = [openAt(address), openAt(address)];
    await one.begin(base);
    const old = (await one.acquire("one"))!;
    await runSql(address, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
    const next = (await two.acquire("two"))!;
    expect(next.fence).toBe(2);
    const late = entriesAfter(signer, base, old.fence, ["late"]);
    await expect(old.append(late, base)).rejects.toMatchObject({ code: "log_unavailable" });
    expect(await next.append(entriesAfter(signer, base, next.fence, ["next"]), base)).toBe("appended");
    expect(await one.read(0, 10)).toHaveLength(1);
    await Promise.all([one.close(), two.close()]);
  });

  it("refuses the token of a sequencer that was deposed while it kept its session", async () => {
    const address = await server.makeDatabase();
    const log = openAt(address);
    await log.begin(base);
    const right = (await log.acquire("one"))!;
    // As another sequencer does, when the lock was lost without the holder's knowledge (a pooler in between, for one).
    await runSql(address, "UPDATE epoch_log_state SET fence = fence + 1");
    expect(await right.append(entriesAfter(signer, base, right.fence, ["late"]), base)).toBe("deposed");
    expect(await right.renew("one")).toBe(false);
    expect(await log.read(0, 10)).toEqual([]);
    await log.close();
  });

  it("gives a change that two sequencers make at the same time to exactly one of them", async () => {
    const address = await server.makeDatabase();
    const logs = [openAt(address), openAt(address)];
    await logs[0]!.begin(base);
    const right = (await logs[0]!.acquire("one"))!;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => right.append(entriesAfter(signer, base, right.fence, [`rival ${i}`]), base)),
    );
    expect(outcomes.filter((outcome) => outcome === "appended")).toHaveLength(1);
    expect(await logs[1]!.read(0, 100)).toHaveLength(1);
    await Promise.all(logs.map((log) => log.close()));
  });

  it("groups what is asked at once into few appends, and every epoch comes once and in order", async () => {
    const address = await server.makeDatabase();
    const log = openAt(address);
    await log.begin(base);
    const right = (await log.acquire("one"))!;
    let appends = 0;
    const sequencer = new Sequencer(
      {
        ...right,
        fence: right.fence,
        state: right.state,
        append: (entries, expected) => (appends++, right.append(entries, expected)),
      },
      signer,
    );
    const given = await Promise.all(Array.from({ length: 500 }, (_, i) => sequencer.append(draftOf(`role ${i}`))));
    expect(given.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
    expect(appends).toBeLessThan(10);
    const read = await log.read(0, 1_000);
    expect(read).toEqual(given);
    let before: LogHead = base;
    for (const entry of read) {
      expect(mistakeOfEntry(signer, DEPLOYMENT, before, entry)).toBeUndefined();
      before = entry;
    }
    await log.close();
  });

  it("goes away and comes back: what was acknowledged is there, what failed is never half there", async () => {
    const durable = await startPostgres({ durable: true });
    const address = await durable.makeDatabase();
    const log = openAt(address);
    await log.begin(base);
    const right = (await log.acquire("one"))!;
    const sequencer = new Sequencer(right, signer);
    const acknowledged: EpochEntry[] = [];
    const running = (async () => {
      for (let i = 0; ; i++) acknowledged.push(await sequencer.append(draftOf(`role ${i}`)));
    })().catch((cause: { code: string }) => cause.code);
    while (acknowledged.length < 20) await new Promise((resolve) => setImmediate(resolve));
    await durable.stop();
    expect(await running).toBe("log_unavailable");
    await expect(log.state()).rejects.toMatchObject({ code: "log_unavailable" });
    await expect(sequencer.append(draftOf("after"))).rejects.toMatchObject({ code: "log_unavailable" });
    await durable.start();
    const read = await log.read(0, 100_000);
    expect(read.slice(0, acknowledged.length)).toEqual(acknowledged);
    expect(read.length - acknowledged.length).toBeLessThanOrEqual(1);
    expect((await log.acquire("again"))!.fence).toBe(2);
    await log.close();
    await durable.close();
  });

  it.each([
    ["a changed operation", "UPDATE epoch_log SET operations = '[]' WHERE epoch = 2", "is not what its hash says"],
    ["a removed entry", "DELETE FROM epoch_log WHERE epoch = 2", "epoch 2 is missing"],
    [
      "entries in another order",
      "UPDATE epoch_log SET epoch = CASE epoch WHEN 2 THEN 30 ELSE 2 END WHERE epoch IN (2, 3)",
      "does not continue",
    ],
    [
      "a copied signature",
      "UPDATE epoch_log SET signature = (SELECT signature FROM epoch_log WHERE epoch = 1)",
      "the signature",
    ],
  ])("that holds %s is noticed by who follows", async (_what, statement, says) => {
    const address = await server.makeDatabase();
    const log = openAt(address);
    await log.begin(base);
    const right = (await log.acquire(""))!;
    await right.append(entriesAfter(signer, base, right.fence, ["one", "two", "three"]), base);
    await runSql(address, statement);
    let before: LogHead = base;
    const mistakes: string[] = [];
    for (const entry of await log.read(0, 10)) {
      const mistake = mistakeOfEntry(signer, DEPLOYMENT, before, entry);
      if (mistake !== undefined) mistakes.push(mistake);
      before = entry;
    }
    expect(mistakes.join("\n")).toContain(says);
    await log.close();
  });

  it("shows nothing but an address as the place of the active one", async () => {
    const address = await server.makeDatabase();
    const log = openAt(address);
    await log.begin(base);
    const shown = async (holder: string): Promise<string> => {
      await runSql(address, `UPDATE epoch_log_state SET holder = E'${holder}'`);
      return (await log.state())!.holder;
    };
    expect(await shown("https://gate.example.org:8443")).toBe("https://gate.example.org:8443");
    for (const hostile of [
      "http://a\\x1b[2J",
      "http://a\\nlog in at http://b",
      "javascript:x",
      `http://${"a".repeat(300)}`,
    ])
      expect(await shown(hostile)).toBe("");
    await log.close();
  });

  it.each([
    ["the answer", "toClient", 1],
    ["the statement", "toServer", 0],
  ] as const)(
    "that never answers, because %s is on its way for ever, ends the sequencer; another one goes on",
    async (_what, silent, written) => {
      const address = await server.makeDatabase();
      const link = await openLink(Number(new URL(address).port));
      const [far, near] = [openAt(address.replace(/:\d+\//, `:${link.port}/`)), openAt(address)];
      await near.begin(base);
      const sequencer = new Sequencer((await far.acquire("http://far"))!, signer);
      link[silent] = false;
      const began = performance.now();
      await expect(sequencer.append(draftOf("unknown"))).rejects.toMatchObject({ code: "log_unavailable" });
      expect(performance.now() - began).toBeLessThan(10_000);
      await expect(sequencer.append(draftOf("later"))).rejects.toMatchObject({ code: "log_unavailable" });
      let right = await near.acquire("http://near");
      while (!right) {
        expect(performance.now() - began).toBeLessThan(15_000);
        await new Promise((resolve) => setTimeout(resolve, 50));
        right = await near.acquire("http://near");
      }
      // What was held up arrives after all.
      link.deliver();
      const { state } = right;
      expect(await right.append(entriesAfter(signer, state, right.fence, ["next"]), state)).toBe("appended");
      expect((await near.read(0, 10)).map(({ fence }) => fence)).toEqual([...Array<number>(written).fill(1), 2]);
      await Promise.all([far.close(), near.close()]);
      await link.close();
    },
  );

  it("with rows of another shape, format or signing key is refused", async () => {
    const address = await server.makeDatabase();
    const log = openAt(address);
    await log.begin(base);
    expect(mistakeOfBase(makeSigner(), (await log.state())!.base)).toContain("signature");
    await runSql(address, "UPDATE epoch_log_state SET head = 'none'");
    await expect(log.state()).rejects.toMatchObject({ code: "log_damaged" });
    await runSql(address, "UPDATE epoch_log_state SET format = 2");
    await expect(log.state()).rejects.toMatchObject({ code: "change_unknown" });
    await log.close();
  });

  it("says where it is without its password", async () => {
    const log = openAt("postgres://app:hunter2secret@127.0.0.1:1/none");
    const cause = await log.state().then(
      () => new Error("it answered"),
      (failure: Error) => failure,
    );
    expect(cause.message).toContain("127.0.0.1:1/none");
    expect(`${JSON.stringify(cause)} ${cause.message} ${cause.stack}`).not.toContain("hunter2");
    await log.close();
  });
});
