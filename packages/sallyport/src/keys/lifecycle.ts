/**
 * Keys through their life: rotation, first use of a new secret, reuse of an old one, and the sweep that ends what is
 * stale. Every step reads the present record in its turn, asks the pure rules, and writes the change with its event.
 */
import { Problem, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { KeyLife } from "../access/policy.ts";
import type { Change, Changes, Operation } from "../changes/change.ts";
import type { EventType, LedgerEvent } from "../audit/event.ts";
import type { Clock } from "../kernel/clock.ts";
import { Secret } from "../kernel/secret.ts";
import { findDue } from "./disuse.ts";
import type { KeyFinding } from "./disuse.ts";
import type { HashedText, KeyDirectory } from "./directory.ts";
import { makeSecret } from "./issue.ts";
import { currentSecret, SYSTEM_REALM } from "./key.ts";
import type { KeyRecord, KeySecret } from "./key.ts";
import type { PepperRing } from "./pepper.ts";
import { openText, sealText } from "./sealed-text.ts";
import { beginRotation, endOverlap, noteFirstUse, settle, UNUSED } from "./secret-machine.ts";
import type { UseRecord } from "./use-record.ts";

export interface LifecyclePorts {
  readonly clock: Clock;
  readonly keys: KeyDirectory;
  readonly peppers: PepperRing;
  readonly uses: UseRecord;
  readonly changes: Changes;
  /** Of the present policy: undefined for an environment that is not there (any more). */
  readonly life: (environment: string) => { readonly keyMaxAgeMs: number; readonly keyLife: KeyLife } | undefined;
  /** Whether a principal of that id is there and not disabled. */
  readonly hasOwner: (principal: string) => boolean;
  readonly listKeys: (filter: { after?: string; limit: number }) => readonly KeyRecord[];
  /** The network an address counts to: its own, and not a whole provider's. */
  readonly networkOf: (address: string) => string;
  /** Whether the wall clock can be believed for what cannot be undone. */
  readonly isClockAgreed: () => boolean;
  /** What failed and will be tried again at the next use or sweep. */
  readonly fault: (cause: unknown) => void;
}

export interface RotateOrder {
  readonly environment: string;
  readonly id: string;
  readonly actor: string;
  /** Left out: the environment's. */
  readonly graceMs?: number;
  /** When the issuer's own right ends, epoch ms: no secret outlives it. Null = never. */
  readonly issuerExpiresAt: number | null;
  /** The caller's own, at least 16 characters: the same one gets the same answer for 15 minutes. */
  readonly idempotencyKey?: Secret;
  /** Also while the new secret of the last rotation is unused, which is destroyed. */
  readonly restart?: boolean;
  /** What else its event says. */
  readonly fields?: LedgerEvent["fields"];
}

export interface OwnRotateOrder {
  readonly environment: string;
  readonly id: string;
  /** The secret that asks. */
  readonly generation: number;
  readonly address: string;
  readonly idempotencyKey: Secret;
}

export interface ResumeOrder {
  readonly environment: string;
  readonly id: string;
  readonly actor: string;
  /** What else its event says. */
  readonly fields?: LedgerEvent["fields"];
}

export interface RotatedKey {
  readonly id: string;
  readonly text: Secret;
  /** When the new secret expires, and when the old one is gone at the latest; epoch ms. */
  readonly expiresAt: number;
  readonly overlapEndsAt: number;
}

/** How long a lost answer can be asked for again. */
const SEALED_MS = 15 * 60_000;
const OWN_ROTATION_EVERY_MS = 24 * 60 * 60_000;
const PAGE = 500;
const TOLD_MAX = 8;
const ACTOR = "gateway";

export class KeyLifecycle {
  readonly #ports: LifecyclePorts;
  /** First uses and reuses that are being written down, so that each is written once. */
  readonly #underWay = new Set<string>();

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
  }

  /** Makes a new secret beside the old one. Throws `not_found`, `key_revoked`, `rotation_in_progress`, `input_invalid`. */
  rotate(order: RotateOrder): Promise<RotatedKey> {
    return this.#ports.changes.inTurn(async () => {
      const { environment, id, actor, idempotencyKey, restart = false } = order;
      const now = this.#ports.clock.now();
      const { key, life, maxAgeMs } = this.#present(environment, id);
      if (key.session) throw new Problem("key_is_session");
      const purpose = purposeOf(environment, id);
      const again = idempotencyKey && reopen(key, idempotencyKey, purpose, now);
      if (again) return again;
      const graceMs = order.graceMs ?? life.overlapMs;
      if (graceMs > life.overlapMaxMs)
        throw new Problem("input_invalid", undefined, ["grace: is longer than overlapMax"]);
      const expiresAt = Math.min(
        now + Math.min(key.lifetimeMs ?? maxAgeMs, maxAgeMs),
        order.issuerExpiresAt ?? Infinity,
      );
      const { text, ...hashed } = makeSecret("sp", environment, id, this.#ports.peppers);
      const sealed = idempotencyKey ? { text: sealText(idempotencyKey, purpose, text), until: now + SEALED_MS } : null;
      const secret = { ...hashed, expiresAt };
      const next = beginRotation(key, {
        by: actor,
        at: now,
        graceMs,
        capMs: life.overlapMaxMs,
        secret,
        sealed,
        restart,
      });
      if ("code" in next) throw new Problem(next.code, next.detail);
      await this.#put(next, "key.rotation_begun", actor, { expires_at: expiresAt, grace_ms: graceMs, ...order.fields });
      return { id, text, expiresAt, overlapEndsAt: latestEnd(next) };
    });
  }

  /**
   * The next secret, asked for with the key itself: only with the secret in use, from a network it was used from before,
   * once a day, and not after a replaced secret was used. So whoever has stolen a key cannot start its owner's clock.
   */
  async rotateItself(order: OwnRotateOrder): Promise<RotatedKey | Refusal> {
    const { environment, id, generation, address, idempotencyKey } = order;
    const { key } = this.#present(environment, id);
    const now = this.#ports.clock.now();
    const isAskedAgain = reopen(key, idempotencyKey, purposeOf(environment, id), now) !== undefined;
    if (currentSecret(key).generation !== generation) return refuse("key_rotated");
    if (key.frozenAt !== null) return refuse("rotation_frozen");
    const network = this.#ports.networkOf(address);
    const places = this.#ports.uses.of(environment, id).filter((use) => use.address !== "");
    if (!places.some((use) => use.generation === generation && this.#ports.networkOf(use.address) === network))
      return refuse("rotation_elsewhere");
    const waitMs = (key.rotatedAt ?? -Infinity) + OWN_ROTATION_EVERY_MS - now;
    if (waitMs > 0 && !isAskedAgain)
      return { ...refuse("rotation_too_soon"), retryAfterSeconds: Math.ceil(waitMs / 1_000) };
    try {
      // Its holder lost the last answer, so nobody has that secret. One that an administrator made may be somebody's.
      const actor = `key:${id}`;
      const restart = key.rotation?.by === actor;
      return await this.rotate({ environment, id, actor, issuerExpiresAt: null, idempotencyKey, restart });
    } catch (problem) {
      if (problem instanceof Problem && problem.code === "rotation_in_progress") return refuse(problem.code);
      throw problem;
    }
  }

  /** Ends an overlap before its time; where there is none, changes nothing. Throws `rotation_in_progress` while the new secret is unused. */
  finish({ environment, id, actor, fields = {} }: ResumeOrder): Promise<KeyRecord> {
    return this.#ports.changes.inTurn(async () => {
      const { key } = this.#present(environment, id);
      if (settle(key, this.#ports.clock.now()).secrets.some(({ state }) => state === "pending"))
        throw new Problem("rotation_in_progress", UNUSED);
      const next = endOverlap(key, this.#ports.clock.now());
      if (next !== key) await this.#put(next, "key.rotation_ended", actor, { reason: "by_administrator", ...fields });
      return next;
    });
  }

  /** A suspended key works again; one that works is left as it is. Throws `not_found`, `conflict`. */
  async resume(order: ResumeOrder): Promise<KeyRecord> {
    const { environment, id } = order;
    const resumed = await this.resumeIf(order, (key) => {
      if (!key) throw new Problem("not_found", `there is no key ${id}`);
      if (key.state === "revoked") throw new Problem("conflict", `key ${id} is revoked, which is final`);
      if (key.session) throw new Problem("key_is_session");
      return undefined;
    });
    if ("code" in resumed) throw new Problem(resumed.code, `${environment}/${id}`);
    return resumed;
  }

  /** The same where `judge`, asked in its turn about the present record, has nothing against it. */
  resumeIf(
    { environment, id, actor, fields = {} }: ResumeOrder,
    judge: (key: KeyRecord | undefined) => Refusal | undefined,
  ): Promise<KeyRecord | Refusal> {
    return this.#ports.changes.inTurn(async () => {
      const key = this.#ports.keys.find(environment, id);
      const refusal = judge(key);
      if (refusal) return refusal;
      if (!key) return refuse("not_found");
      if (key.state === "revoked") return refuse("key_revoked");
      if (key.state === "active") return key;
      // Whoever lets it work again has a use for it: its disuse is counted from now, and its notices are given again.
      const next: KeyRecord = { ...key, state: "active", reason: null, told: [], idleSince: this.#ports.clock.now() };
      const state: Operation = { op: "key.state", environment, id, state: "active", reason: null };
      await this.#commit(key, [state, lifeOperation(next)], "key.resumed", actor, fields);
      return next;
    });
  }

  /** A pending secret has just been used: from now on it is the active one. Returns at once. */
  firstUse(key: KeyRecord, secret: KeySecret): void {
    this.#once(key, secret, async (present) => {
      const next = noteFirstUse(present, secret.generation, this.#ports.clock.now());
      if (next === present) return;
      const old = next.secrets.find(({ state }) => state === "overlapping");
      await this.#put(next, "key.rotated", ACTOR, {
        generation: secret.generation,
        overlap_ends_at: old?.endsAt ?? null,
      });
    });
  }

  /** A secret that has ended was used: somebody was forgotten, or somebody has stolen it. The good one goes on working. */
  reused(key: KeyRecord, secret: KeySecret): void {
    this.#once(key, secret, async (present) => {
      if (present.frozenAt !== null) return;
      const next = { ...present, frozenAt: this.#ports.clock.now() };
      await this.#put(next, "key.secret_reused", ACTOR, { generation: secret.generation });
    });
  }

  /** The secret's hash under a newer pepper, made when its text was here (ADR 13). */
  rehash(key: KeyRecord, secret: KeySecret, hashed: HashedText): void {
    this.#once(key, secret, async (present) => {
      const held = present.secrets.find(({ generation }) => generation === secret.generation);
      if (!held || held.pepperVersion >= hashed.pepperVersion) return;
      const secrets = present.secrets.map((one) => (one === held ? { ...one, ...hashed } : one));
      await this.#put({ ...present, secrets }, "key.rehashed", ACTOR, { pepper_version: hashed.pepperVersion });
    });
  }

  /** What is due now, and unless it is a dry run, done. Throws `clock_doubtful` where the clock was just set. */
  async sweep({ isDryRun }: { readonly isDryRun: boolean }): Promise<readonly KeyFinding[]> {
    if (!isDryRun && !this.#ports.isClockAgreed()) throw new Problem("clock_doubtful");
    const findings: KeyFinding[] = [];
    let after: string | undefined;
    for (;;) {
      const page = this.#ports.listKeys({ ...(after === undefined ? {} : { after }), limit: PAGE });
      for (const key of page) {
        if (key.environment === SYSTEM_REALM) continue;
        const finding = await this.#lookAt(key, isDryRun);
        if (finding) findings.push(finding);
      }
      const last = page.at(-1);
      if (!last || page.length < PAGE) return findings;
      after = `${last.environment}/${last.id}`;
      // Requests come first: a million keys are not looked at in one go.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** What is stored of one key's uses may be damaged: the others are looked at all the same. */
  async #lookAt(key: KeyRecord, isDryRun: boolean): Promise<KeyFinding | undefined> {
    try {
      return isDryRun ? this.#due(key) : await this.#act(key.environment, key.id);
    } catch (cause) {
      if (!(cause instanceof Problem) || cause.code !== "record_damaged") throw cause;
      this.#ports.fault(cause);
      return undefined;
    }
  }

  #due(key: KeyRecord): KeyFinding | undefined {
    const life = this.#ports.life(key.environment)?.keyLife;
    if (!life) return undefined;
    const uses = this.#ports.uses.lastUses(key.environment, key.id);
    const hasOwner = key.owner !== null && this.#ports.hasOwner(key.owner);
    return findDue({ key, life, uses, hasOwner, now: this.#ports.clock.now() });
  }

  /** Looks again in its turn, so that what a change has just mended is left alone. */
  #act(environment: string, id: string): Promise<KeyFinding | undefined> {
    const held = this.#ports.keys.find(environment, id);
    if (!held || !this.#due(held)) return Promise.resolve(undefined);
    return this.#ports.changes.inTurn(async () => {
      const { key, life } = this.#present(environment, id);
      const finding = this.#due(key);
      if (!finding) return undefined;
      const { code, action, mark, dueAt } = finding;
      const fields = { reason: code, due_at: dueAt };
      if (action === "notice")
        await this.#put({ ...key, told: [...key.told, mark ?? code].slice(-TOLD_MAX) }, "key.notice", ACTOR, fields);
      else if (action === "end_overlap") {
        const uses = this.#ports.uses.lastUses(environment, id);
        const next = settle(key, this.#ports.clock.now(), { quietMs: life.quietMs, uses });
        await this.#put(next, "key.rotation_ended", ACTOR, fields);
      } else {
        const state = action === "suspend" ? "suspended" : "revoked";
        await this.#commit(
          key,
          [{ op: "key.state", environment, id, state, reason: code }],
          `key.${state}`,
          ACTOR,
          fields,
        );
      }
      return finding;
    });
  }

  #once(key: KeyRecord, secret: KeySecret, work: (present: KeyRecord) => Promise<void>): void {
    const name = `${key.environment}/${key.id}/${secret.generation}`;
    if (this.#underWay.has(name)) return;
    this.#underWay.add(name);
    this.#ports.changes
      .inTurn(async () => {
        const present = this.#ports.keys.find(key.environment, key.id);
        if (present) await work(present);
      })
      .catch(this.#ports.fault)
      .finally(() => this.#underWay.delete(name));
  }

  #present(environment: string, id: string): { key: KeyRecord; life: KeyLife; maxAgeMs: number } {
    const key = this.#ports.keys.find(environment, id);
    const policy = this.#ports.life(environment);
    if (!key || !policy) throw new Problem("not_found", `there is no key ${id}`);
    return { key, life: policy.keyLife, maxAgeMs: policy.keyMaxAgeMs };
  }

  async #put(next: KeyRecord, type: EventType, actor: string, fields: LedgerEvent["fields"]): Promise<void> {
    await this.#commit(next, [lifeOperation(next)], type, actor, fields);
  }

  async #commit(
    key: KeyRecord,
    operations: readonly Operation[],
    type: EventType,
    actor: string,
    fields: LedgerEvent["fields"],
  ): Promise<void> {
    const { environment, id, name, owner } = key;
    const at = this.#ports.clock.now();
    const event: LedgerEvent = { type, at, environment, actor, fields: { key: id, name, owner, ...fields } };
    const change: Change = { operations, events: [event] };
    await this.#ports.changes.change(change);
  }
}

function lifeOperation(next: KeyRecord): Operation {
  const { environment, id, secrets, rotation, rotatedAt, frozenAt, lifetimeMs, told, idleSince } = next;
  const life = { secrets, rotation, rotatedAt, frozenAt, lifetimeMs, told, idleSince };
  return { op: "key.life", environment, id, life };
}

function purposeOf(environment: string, id: string): string {
  return `rotation ${environment}/${id}`;
}

function reopen(key: KeyRecord, under: Secret, purpose: string, now: number): RotatedKey | undefined {
  const sealed = key.rotation?.sealed;
  if (!sealed || sealed.until <= now) return undefined;
  const text = openText(under, purpose, sealed.text);
  const pending = key.secrets.find(({ state }) => state === "pending");
  if (!text || !pending || pending.expiresAt === null) return undefined;
  return { id: key.id, text, expiresAt: pending.expiresAt, overlapEndsAt: latestEnd(key) };
}

function latestEnd(key: KeyRecord): number {
  const capAt = key.rotation?.capAt ?? 0;
  return Math.min(capAt, currentSecret(key).expiresAt ?? capAt);
}
