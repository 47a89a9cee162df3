import { beforeEach, describe, expect, it } from "vitest";
import { isRefusal, Problem } from "@sallyport/protocol";
import { keyOf } from "../../../../test/builders.ts";
import { environmentDefaults } from "../access/default-environment.ts";
import type { KeyRecord } from "./key.ts";
import { nextStep } from "./own-keys.ts";
import { OwnKeys } from "./own-keys.ts";
import { refuseOwnResume } from "./own-resume.ts";

const DAY = 86_400_000;
const life = environmentDefaults.keyLife;
const SESSION = { issuer: "https://id.example", subject: "s", sid: null, authenticatedAt: 0 };

const ownKey = (id: string, more: Partial<KeyRecord> = {}): KeyRecord =>
  keyOf({ id, name: id, owner: "p1", ...more }, { expiresAt: 80 * DAY });
const used = (...days: number[]): ReadonlyMap<number, number> => new Map(days.map((day, i) => [i + 1, day * DAY]));
const stopped = (reason: string | null, more: Partial<KeyRecord> = {}): Partial<KeyRecord> => ({
  state: "suspended",
  reason,
  ...more,
});

describe("whether an owner may have it back", () => {
  it.each([
    ["never used", stopped("key_never_used"), used(), undefined],
    ["unused", stopped("key_unused"), used(3), undefined],
    ["it works", {}, used(), undefined],
    ["resumed before, and not used since", stopped("key_unused", { idleSince: 20 * DAY }), used(3), "resume_spent"],
    ["resumed before, never used", stopped("key_never_used", { idleSince: 20 * DAY }), used(), "resume_spent"],
    ["resumed before, and used since", stopped("key_unused", { idleSince: 20 * DAY }), used(3, 21), undefined],
    ["by an administrator", stopped("by_administrator"), used(), "resume_denied"],
    ["its owner was at risk", stopped("owner_at_risk"), used(), "resume_denied"],
    ["its owner was gone", stopped("key_orphaned"), used(), "resume_denied"],
    ["its ticket had two openers", stopped("ticket_opened_twice"), used(), "resume_denied"],
    ["after a restore", stopped("replayed"), used(), "resume_denied"],
    ["for a reason nobody knows", stopped("key_unused_x"), used(), "resume_denied"],
    ["for no reason", stopped(null), used(), "resume_denied"],
    ["revoked for disuse", { state: "revoked", reason: "key_unused" } as const, used(), "resume_denied"],
  ])("%s", (_, more, uses, code) => {
    expect(refuseOwnResume(ownKey("k", more), uses)?.code).toBe(code);
  });
});

describe("what comes next", () => {
  const lasting = { secrets: [{ ...ownKey("k").secrets[0]!, expiresAt: 400 * DAY }] };
  it.each([
    ["fresh", {}, used(), "suspend key_never_used 14"],
    ["used", {}, used(10), "suspend key_unused 55"],
    ["resumed, never used", { idleSince: 20 * DAY }, used(), "suspend key_never_used 34"],
    ["close to its end", {}, used(60), "expire key_expired 80"],
    ["suspended", stopped("key_unused", lasting), used(3), "revoke key_unused 93"],
    ["revoked", { state: "revoked" } as const, used(), undefined],
  ])("%s", (_, more, uses, expected) => {
    const next = nextStep(ownKey("k", more), life, uses, 5 * DAY);
    expect(next ? `${next.action} ${next.code} ${next.at / DAY}` : undefined).toBe(expected);
  });
  it("after its expiry, and with every length switched off", () => {
    const off = { ...life, neverUsedMs: 0, idleMs: 0, destroyMs: 0 };
    expect(nextStep(ownKey("k"), off, used(), 81 * DAY)).toEqual({
      action: "revoke",
      code: "key_expired",
      at: 87 * DAY,
    });
  });
});

describe("in its turn", () => {
  let stored: Map<string, KeyRecord>;
  let people: Set<string>;
  let isDamaged: boolean;
  let meanwhile: () => void;
  let resumed: string[];
  let own: OwnKeys;
  const logIn = { environment: "dev", id: "session" };

  beforeEach(() => {
    stored = new Map(
      [
        ownKey("session", { session: SESSION, secrets: [{ ...ownKey("x").secrets[0]!, expiresAt: 16 * DAY }] }),
        ownKey("mine", stopped("key_never_used")),
        ownKey("his", stopped("key_never_used", { owner: "p2" })),
        ownKey("other", stopped("key_never_used", { session: SESSION })),
        ownKey("over", { state: "revoked" }),
      ].map((key) => [key.id, key]),
    );
    people = new Set(["p1", "p2"]);
    isDamaged = false;
    meanwhile = () => {};
    resumed = [];
    own = new OwnKeys({
      clock: { now: () => 15 * DAY, monotonic: () => 0 },
      keys: { find: (_environment: string, id: string) => stored.get(id) } as never,
      uses: {
        lastUses: (_environment: string, id: string) => {
          if (isDamaged && id === "mine") throw new Problem("record_damaged");
          return used();
        },
      } as never,
      life: () => ({ keyMaxAgeMs: 90 * DAY, keyLife: life }),
      hasOwner: (id) => people.has(id),
      listKeys: ({ owner }) => [...stored.values()].filter((key) => key.owner === owner),
      lifecycle: {
        async resumeIf({ id }, judge) {
          meanwhile();
          const key = stored.get(id);
          const refusal = judge(key);
          if (refusal) return refusal;
          resumed.push(id);
          return { ...key!, state: "active", reason: null };
        },
      },
    });
  });
  const resume = async (id: string): Promise<string> => {
    const said = await own.resume(logIn, id, "127.0.0.1");
    return isRefusal(said) ? said.code : said.key.state;
  };
  const end = (id: string): void => void stored.set(id, { ...stored.get(id)!, state: "revoked" });

  it.each([
    ["nothing", "mine", () => {}, "active"],
    ["he was sent away", "mine", () => people.delete("p1"), "owner_disabled"],
    ["his log-in ended", "mine", () => end("session"), "key_revoked"],
    ["the key ended", "mine", () => end("mine"), "resume_denied"],
    [
      "the key went to somebody else",
      "mine",
      () => stored.set("mine", { ...stored.get("mine")!, owner: "p2" }),
      "not_found",
    ],
    ["his key, by its id", "his", () => {}, "not_found"],
    ["a log-in, by its id", "other", () => {}, "not_found"],
    ["its uses cannot be read", "mine", () => (isDamaged = true), "record_damaged"],
  ])("%s", async (_, id, happens, expected) => {
    meanwhile = happens;
    expect(await resume(id)).toBe(expected);
    expect(resumed).toEqual(expected === "active" ? [id] : []);
  });

  it("the list has what is his and not over, and of one whose uses cannot be read nothing more", async () => {
    isDamaged = true;
    expect(await own.list(logIn)).toMatchObject([
      { key: { id: "mine" }, lastUsedAt: null, next: null, isResumable: false },
    ]);
  });

  it.each([
    ["a key that was issued", () => stored.set("session", ownKey("session")), "session_missing"],
    ["an ended log-in", () => end("session"), "key_revoked"],
    ["nobody's", () => stored.delete("session"), "session_missing"],
  ])("with %s there is neither", async (_, happens, code) => {
    happens();
    expect(await own.list(logIn)).toEqual({ code });
    expect(await resume("mine")).toBe(code);
  });
});
