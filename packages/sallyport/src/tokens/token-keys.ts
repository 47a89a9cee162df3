/**
 * The keys that sign an environment's tokens (R7: no other environment uses them). The newest one signs; earlier ones
 * verify for as long as their tokens may live. Private keys are encrypted at rest and decrypted on first use.
 */
import { createPrivateKey, createPublicKey, generateKeyPair } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Changes } from "../changes/change.ts";
import type { ImageOf, View } from "../changes/image.ts";
import type { Clock } from "../kernel/clock.ts";
import { randomBase62 } from "../kernel/ids.ts";
import type { Sealer } from "../keys/sealer.ts";
import type { TokenKeyRecord } from "./operations.ts";
import { LIFETIME_MAX_MS } from "./lifetime.ts";

export interface TokenKeysPorts {
  readonly clock: Clock;
  readonly sealer: Pick<Sealer, "seal" | "open">;
  readonly changes: Changes;
  readonly read: () => readonly TokenKeyRecord[];
}

export interface TokenSigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
}

export interface TokenVerifyingKey {
  readonly id: string;
  readonly environment: string;
  readonly publicKey: KeyObject;
}

/** ECDSA on P-256: what every library can verify. */
export const TOKEN_ALGORITHM = "ES256";
export const TOKEN_KEY_ROTATION_MS = 30 * 86_400_000;
/** A verifier elsewhere may hold the list of keys for some time, and clocks differ. */
const KEPT_MS = TOKEN_KEY_ROTATION_MS + LIFETIME_MAX_MS + 3_600_000;

export class TokenKeys implements View<"token_key"> {
  readonly name = "token_keys";
  readonly hears = ["token_key"] as const;
  readonly #ports: TokenKeysPorts;
  /** By id. */
  #records: ReadonlyMap<string, TokenKeyRecord> = new Map();
  readonly #opened = new Map<string, TokenSigningKey>();
  readonly #public = new Map<string, TokenVerifyingKey>();

  constructor(ports: TokenKeysPorts) {
    this.#ports = ports;
    this.rebuild();
  }

  apply(images: readonly ImageOf<"token_key">[]): void {
    if (images.length === 0) return;
    const records = new Map(this.#records);
    for (const { id, now } of images) {
      if (now) records.set(id, now);
      else records.delete(id);
    }
    this.#take(records);
  }

  rebuild(): void {
    this.#take(new Map(this.#ports.read().map((record) => [record.id, record])));
  }

  /** Of a key that is gone nothing stays opened. */
  #take(records: ReadonlyMap<string, TokenKeyRecord>): void {
    this.#records = records;
    for (const opened of [this.#opened, this.#public])
      for (const id of opened.keys()) if (!records.has(id)) opened.delete(id);
  }

  /** The key that signs now; created, durably, if it is missing or the last one is due for rotation. */
  async signing(environment: string): Promise<TokenSigningKey> {
    return this.#fresh(environment) ?? (await this.#ports.changes.inTurn(() => this.#make(environment)));
  }

  /** The key of that id, if its environment still believes it. */
  verifying(id: string): TokenVerifyingKey | undefined {
    const record = this.#records.get(id);
    if (!record || !this.#isKept(record)) return undefined;
    let held = this.#public.get(id);
    if (!held) {
      const publicKey = createPublicKey({ key: Buffer.from(record.publicKey, "base64"), format: "der", type: "spki" });
      held = { id, environment: record.environment, publicKey };
      this.#public.set(id, held);
    }
    return held;
  }

  /** What a verifier elsewhere needs: the newest first. */
  published(environment: string): readonly TokenVerifyingKey[] {
    const kept = [...this.#records.values()].filter(
      (record) => record.environment === environment && this.#isKept(record),
    );
    return kept
      .toSorted((a, b) => b.createdAt - a.createdAt)
      .map(({ id }) => this.verifying(id))
      .filter((key) => key !== undefined);
  }

  #isKept({ createdAt }: TokenKeyRecord): boolean {
    return this.#ports.clock.now() < createdAt + KEPT_MS;
  }

  #fresh(environment: string): TokenSigningKey | undefined {
    const newest = [...this.#records.values()]
      .filter((record) => record.environment === environment)
      .reduce<TokenKeyRecord | undefined>(
        (best, one) => (best && best.createdAt >= one.createdAt ? best : one),
        undefined,
      );
    if (!newest || this.#ports.clock.now() >= newest.createdAt + TOKEN_KEY_ROTATION_MS) return undefined;
    let held = this.#opened.get(newest.id);
    if (!held) {
      const der = this.#ports.sealer.open(newest.purpose, newest.sealed);
      held = { id: newest.id, privateKey: createPrivateKey({ key: der, format: "der", type: "pkcs8" }) };
      this.#opened.set(newest.id, held);
    }
    return held;
  }

  async #make(environment: string): Promise<TokenSigningKey> {
    const made = this.#fresh(environment);
    if (made) return made;
    const { clock, sealer, changes } = this.#ports;
    const { publicKey, privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
    const id = randomBase62(16);
    const purpose = `token-key/${environment}/${id}`;
    const der = privateKey.export({ type: "pkcs8", format: "der" });
    const record: TokenKeyRecord = {
      environment,
      id,
      sealed: sealer.seal(purpose, der),
      purpose,
      publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
      createdAt: clock.now(),
    };
    const gone = [...this.#records.values()].filter((one) => one.environment === environment && !this.#isKept(one));
    await changes.change({
      operations: [
        { op: "tokenKey.insert", tokenKey: record },
        ...gone.map((one) => ({ op: "tokenKey.remove", environment, id: one.id }) as const),
      ],
      events: [{ type: "token_key.made", at: clock.now(), environment, actor: "gateway", fields: { key: id } }],
    });
    this.#opened.set(id, { id, privateKey });
    return { id, privateKey };
  }
}
