import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Alert } from "../alert.ts";
import { observe } from "../observation.ts";
import type { Observation } from "../observation.ts";
import { seededRandom } from "../../watch-lab/simulate/draw.ts";
import { KeyWatch } from "./key-watch.ts";

const START = Date.UTC(2026, 0, 5);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let requests = 0;
function exchange(at: number, over: Partial<Observation> = {}): Observation {
  return observe({
    kind: "exchange",
    at,
    environment: "prod",
    key: "K1",
    owner: "p_1",
    peer: "chatbot",
    request: `req_${requests++}`,
    endpoint: "ollama.chat",
    permissions: ["infer:chat"],
    model: "llama3.2",
    address: "192.0.2.7",
    client: "curl/8.5.0",
    outcome: "served",
    inputTokens: 100,
    outputTokens: 200,
    requestBytes: 500,
    ...over,
  });
}

/** A machine that asks every ten minutes, for so many days. */
function lived(watch: KeyWatch, days: number, over: Partial<Observation> = {}): number {
  const random = seededRandom(7);
  let at = START;
  for (; at < START + days * DAY; at += 10 * MINUTE) {
    const size = Math.round(80 + 60 * random());
    watch.see(
      exchange(at, {
        inputTokens: size,
        requestBytes: 4 * size,
        outputTokens: Math.round(150 + 100 * random()),
        ...over,
      }),
    );
  }
  return at;
}

function see(watch: KeyWatch, events: readonly Observation[]): readonly Alert[] {
  return events.flatMap((event) => watch.see(event));
}

const many = (count: number, make: (n: number) => Observation): Observation[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe("facts", () => {
  it("bait that is used is told at once, of a key never seen before", () => {
    expect(new KeyWatch().see(exchange(START, { isDecoy: true }))).toMatchObject([
      { kind: "decoy_used", isDeterministic: true, environment: "prod", key: "K1", evidence: [{ at: START }] },
    ]);
  });

  it("a key that works after its revocation, or its owner's departure, is told", () => {
    for (const turn of [{ kind: "revoked", key: "K1" } as const, { kind: "left", key: "" } as const]) {
      const watch = new KeyWatch();
      const at = lived(watch, 2);
      watch.see(observe({ at, environment: "prod", owner: "p_1", actor: "os:root", ...turn }));
      expect(watch.see(exchange(at + HOUR))).toMatchObject([{ kind: "leaver", isDeterministic: true }]);
    }
  });

  it("an old program that goes on with a revoked key from where it always was is not", () => {
    const watch = new KeyWatch();
    const at = lived(watch, 2);
    watch.see(observe({ kind: "revoked", at, environment: "prod", key: "K1", owner: "p_1", actor: "os:root" }));
    const refused = many(20, (n) => exchange(at + n * MINUTE, { kind: "refused", outcome: null, code: "key_revoked" }));
    expect(see(watch, refused).filter(({ kind }) => kind === "leaver")).toEqual([]);
  });

  it("different refusals in a row are probing, the same one is a mistake", () => {
    const denied = (n: number, endpoint: string): Observation =>
      exchange(START + 10 * DAY + n * 1_000, {
        kind: "refused",
        outcome: null,
        code: "permission_denied",
        endpoint,
        client: "curl/8.5.0",
      });
    const watch = new KeyWatch();
    lived(watch, 10);
    expect(
      see(
        watch,
        many(10, (n) => denied(n, "ollama.pull")),
      ).filter(({ kind }) => kind === "scope_probing"),
    ).toEqual([]);
    const probes = many(6, (n) => denied(20 + n, `ollama.endpoint${n}`));
    expect(see(watch, probes).map(({ kind }) => kind)).toContain("scope_probing");
  });

  it("signatures that come again are a replay, one alone is a retry", () => {
    const watch = new KeyWatch();
    const at = lived(watch, 3);
    const again = (n: number): Observation =>
      exchange(at + n * 5_000, { kind: "refused", outcome: null, code: "signature_replayed" });
    expect(see(watch, [again(0)])).toEqual([]);
    expect(see(watch, [again(1), again(2)]).map(({ kind }) => kind)).toContain("replay");
  });

  it("a key that rested for four weeks and comes back is told, after three it is not", () => {
    for (const [days, kinds] of [
      [21, []],
      [29, ["dormant_revival"]],
    ] as const) {
      const watch = new KeyWatch();
      const at = lived(watch, 5);
      expect(watch.see(exchange(at + days * DAY)).map(({ kind }) => kind)).toEqual(kinds);
    }
  });

  it("many networks within the hour", () => {
    const watch = new KeyWatch();
    const at = lived(watch, 5);
    const spread = many(30, (n) => exchange(at + n * MINUTE, { address: `198.51.${n}.9` }));
    expect(see(watch, spread).map(({ kind }) => kind)).toContain("credential_spread");
  });

  it("a key made from a new place after a revocation; a replacement by the usual hands is not", () => {
    const watch = new KeyWatch();
    const turn = (kind: "issued" | "revoked", at: number, actor: string, address: string): Observation =>
      observe({ kind, at, environment: "prod", key: `N${at}`, owner: "p_2", actor, address });
    for (let day = 0; day < 10; day++) watch.see(turn("issued", START + day * DAY, "key:ADM", "192.0.2.1"));
    const at = START + 11 * DAY;
    expect(
      see(watch, [turn("revoked", at, "key:ADM", "192.0.2.1"), turn("issued", at + MINUTE, "key:ADM", "192.0.2.1")]),
    ).toEqual([]);
    const minted = see(watch, [
      turn("revoked", at + HOUR, "key:OTHER", "192.0.2.2"),
      turn("issued", at + HOUR + MINUTE, "key:ADM", "203.0.113.9"),
    ]);
    expect(minted).toMatchObject([{ kind: "mint_after_revoke", key: "ADM", environment: "system" }]);
  });
});

describe("likelihoods", () => {
  /** Others of the same peer group, so that the tables of hours are filled. */
  function withPeers(): { readonly watch: KeyWatch; readonly at: number } {
    const watch = new KeyWatch();
    for (let key = 2; key < 14; key++)
      lived(watch, 20, { key: `K${key}`, owner: `p_${key}`, address: `192.0.${key + 3}.7` });
    return { watch, at: lived(watch, 20) };
  }

  it("a thief is told within minutes, with what is usual and two signals", () => {
    const { watch, at } = withPeers();
    const thief = { address: "198.51.100.9", client: "python-requests/2.32.3" };
    const alerts = see(watch, [
      exchange(at, { ...thief, endpoint: "ollama.tags", permissions: ["models:list"], model: null }),
      ...many(60, (n) =>
        exchange(at + (n + 1) * 4_000, { ...thief, model: "deepseek-r1", inputTokens: 900 + n, outputTokens: 2_000 }),
      ),
    ]);
    expect(alerts.length).toBeGreaterThan(0);
    expect(alerts[0]!.at - at).toBeLessThan(5 * MINUTE);
    const network = alerts.flatMap(({ factors }) => factors).find(({ name }) => name === "network");
    expect(network).toMatchObject({ observed: "198.51.100.0/24", usual: ["192.0.2.0/24"] });
    expect(Math.max(...alerts.map(({ signals }) => signals))).toBeGreaterThanOrEqual(2);
    expect(alerts[0]!.evidence.length).toBeGreaterThan(0);
  });

  it("what was called a false alarm is usual from then on", () => {
    const { watch, at } = withPeers();
    const moved = many(40, (n) =>
      exchange(at + n * MINUTE, { address: "198.51.100.9", client: "axios/1.7.2", outputTokens: 3_000 }),
    );
    const [alert] = see(watch, moved);
    expect(alert).toBeDefined();
    expect(watch.falseAlarm(alert!)).toBe(true);
    const later = watch.look("prod", "K1", at + 3 * HOUR);
    watch.see(exchange(at + 3 * HOUR, { address: "198.51.100.9", client: "axios/1.7.2" }));
    const now = watch.look("prod", "K1", at + 3 * HOUR);
    expect(now!.bar).toBeGreaterThan(1.15);
    expect(later!.factors.concat(now!.factors).map(({ name }) => name)).not.toContain("network");
    expect(watch.falseAlarm({ ...alert!, key: "nobody" })).toBe(false);
  });

  it("two in a hundred more every day for weeks is a ramp, though no day is unlike the one before", () => {
    const watch = new KeyWatch();
    const alerts: Alert[] = [];
    for (let day = 0; day < 60; day++) {
      const count = Math.round(100 * 1.02 ** Math.max(0, day - 15));
      for (let n = 0; n < count; n++)
        alerts.push(...watch.see(exchange(START + day * DAY + (n * DAY) / count, { inputTokens: 90 + (n % 40) })));
    }
    expect(alerts.map(({ kind }) => kind)).toContain("ramp");
    expect(alerts.find(({ kind }) => kind === "ramp")!.isDeterministic).toBe(false);
  });

  it("no such growth, no ramp", () => {
    const watch = new KeyWatch();
    const alerts = many(60 * 100, (n) => exchange(START + (n * DAY) / 100, { inputTokens: 90 + (n % 40) })).flatMap(
      (event) => watch.see(event),
    );
    expect(alerts.filter(({ kind }) => kind === "ramp")).toEqual([]);
  });
});

describe("state", () => {
  it("survives a restart: what was kept and restored says the same of the same events", () => {
    const watch = new KeyWatch();
    const at = lived(watch, 12);
    const other = new KeyWatch();
    const kept = { ...watch.keepRest(), keys: [...watch.keepKeys()] };
    expect(other.restore(JSON.parse(JSON.stringify(kept)), at)).toBe(true);
    expect(other.size).toBe(watch.size);
    const events = many(200, (n) =>
      exchange(at + n * 20_000, { address: n % 2 ? "198.51.100.9" : "192.0.2.7", model: `m${n % 5}` }),
    );
    expect(see(other, events)).toEqual(see(watch, events));
    expect(new KeyWatch().restore({ ...kept, rowWords: 1 }, at)).toBe(false);
  });

  it("takes any order of any events without a fault, and a forgotten key's row is clean", () => {
    const kinds = ["exchange", "refused", "issued", "revoked", "suspended", "resumed", "left"] as const;
    const event = fc.record({
      kind: fc.constantFrom(...kinds),
      at: fc.integer({ min: START, max: START + 90 * DAY }),
      key: fc.constantFrom("A", "B", ""),
      owner: fc.option(fc.constantFrom("p_1", "p_2")),
      actor: fc.option(fc.constantFrom("key:A", "principal:p_1", "os:root")),
      address: fc.option(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())),
      client: fc.option(fc.string()),
      model: fc.option(fc.string()),
      endpoint: fc.option(fc.string()),
      code: fc.option(fc.constantFrom("model_denied", "signature_replayed", "x")),
      inputTokens: fc.nat(),
      outputTokens: fc.nat(),
      requestBytes: fc.nat(),
      count: fc.integer({ min: 1, max: 1_000 }),
      isDecoy: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 120 }), (events) => {
        const watch = new KeyWatch();
        for (const said of events)
          for (const alert of watch.see(observe({ environment: "prod", ...said }))) {
            expect(alert.factors.every(({ usual, p }) => usual.length <= 20 && (p === null || (p > 0 && p <= 1)))).toBe(
              true,
            );
          }
        for (const key of ["A", "B"]) watch.forget("prod", key);
        expect(watch.look("prod", "A", START)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});
