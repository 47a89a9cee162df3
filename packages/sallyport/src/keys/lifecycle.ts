/**
 * The lifecycle of keys: rotation, first use of a new secret, reuse of an old one, and the inactivity policy. Every
 * step reads the current record in its turn, asks the pure rules, and writes the change with its event.
 */
import { isRefusal, Problem, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { KeyLife } from "../access/policy.ts";
import type { Change, Operation } from "../changes/change.ts";
import type { EventType, LedgerEvent } from "../audit/event.ts";
import { Secret } from "../kernel/secret.ts";
import type { KeyFinding } from "./disuse.ts";
import type { HashedText } from "./directory.ts";
import { makeSecret } from "./issue.ts";
import { currentSecret } from "./key.ts";
import type { KeyRecord, KeySecret } from "./key.ts";
import { keyEvent, lifeOperation } from "./key-change.ts";
import type { PepperRing } from "./pepper.ts";
import { openText, sealText } from "./sealed-text.ts";
import { KeySweep } from "./sweep.ts";
import type { SweepPorts } from "./sweep.ts";
import { beginRotation, endOverlap, noteFirstUse, settle, UNUSED } from "./secret-machine.ts";

export interface LifecyclePorts extends SweepPorts {
  readonly peppers: PepperRing;
  /** Of the current policy: undefined for an environment that does not exist (any more). */
  readonly life: (environment: string) => { readonly keyMaxAgeMs: number; readonly keyLife: KeyLife } | undefined;
  /** The network an address counts to: its own, and not a whole provider's. */
  readonly networkOf: (address: string) => string;
}

export interface RotateOrder {
  readonly environment: string;
  readonly id: string;
  readonly actor: string;
  /** Default: the environment's. */
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
const ACTOR = "gateway";

export class KeyLifecycle {
  readonly #ports: LifecyclePorts;
  readonly #sweep: KeySweep;
  /** First uses and reuses that are being written down, so that each is written once. */
  readonly #underWay = new Set<string>();

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
    this.#sweep = new KeySweep(ports);
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
      if (isRefusal(next)) throw new Problem(next.code, next.detail);
      await this.#put(next, "key.rotation_begun", actor, { expires_at: expiresAt, grace_ms: graceMs, ...order.fields });
      return { id, text, expiresAt, overlapEndsAt: latestEnd(next) };
    });
  }

  /**
   * The next secret, requested with the key itself: only with the secret in use, from a network from which it was used
   * before, once a day, and not after a replaced secret was used. So a thief cannot start the owner's overlap.
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
      return refuse("rotation_too_soon").with({ retryAfterSeconds: Math.ceil(waitMs / 1_000) });
    try {
      // Its holder lost the last response, so no client has that secret. One that an administrator created may be in
      // use.
      const actor = `key:${id}`;
      const restart = key.rotation?.by === actor;
      return await this.rotate({ environment, id, actor, issuerExpiresAt: null, idempotencyKey, restart });
    } catch (problem) {
      if (problem instanceof Problem && problem.code === "rotation_in_progress") return refuse(problem.code);
      throw problem;
    }
  }

  /**
   * Ends an overlap early; without one, changes nothing. Throws `rotation_in_progress` while the new secret is unused.
   */
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
    if (isRefusal(resumed)) throw new Problem(resumed.code, `${environment}/${id}`);
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
      // An administrator who reactivates a key has a use for it: its inactivity starts again now, and so do its
      // notices.
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

  /** An expired secret was used: a client was forgotten, or the secret was stolen. The current secret keeps working. */
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

  /** Ends what is stale, as `KeySweep` says. */
  sweep(order: { readonly isDryRun: boolean }): Promise<readonly KeyFinding[]> {
    return this.#sweep.run(order);
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
    const change: Change = {
      operations,
      events: [keyEvent(key, { type, actor, at: this.#ports.clock.now() }, fields)],
    };
    await this.#ports.changes.change(change);
  }
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
