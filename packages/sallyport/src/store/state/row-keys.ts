/**
 * The secrets that bind rows, derived from the ledger's signing key (HKDF, RFC 5869): an editor of a database or a
 * plain backup does not have it, because it is encrypted under a key that is in neither.
 */
import { hkdfSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { HmacKey } from "../../kernel/hmac.ts";
import type { SqlRow } from "../disk/sqlite.ts";

export class RowKeys {
  readonly #row: HmacKey;
  readonly #member: HmacKey;
  readonly #mask: HmacKey;
  readonly #state: HmacKey;

  constructor(root: KeyObject) {
    const seed = Buffer.from(root.export({ format: "jwk" }).d ?? "", "base64url");
    const derive = (what: string): HmacKey =>
      new HmacKey(Buffer.from(hkdfSync("sha256", seed, "", `sallyport-state/v1\n${what}`, 32)));
    [this.#row, this.#member, this.#mask, this.#state] = ["row", "member", "mask", "state"].map(derive) as [
      HmacKey,
      HmacKey,
      HmacKey,
      HmacKey,
    ];
    seed.fill(0);
  }

  /** The code of a row: its table, its id, the epoch it was written in, and every column by name. */
  macOf(table: string, id: string, epoch: number, row: SqlRow): Buffer {
    return this.#row.of(JSON.stringify([table, id, epoch, Object.entries(row).map(plain)]));
  }

  /** What a row adds to the sum of all: not the code itself, so that reading codes reveals no summand. */
  memberOf(table: string, id: string, mac: Uint8Array): bigint {
    return numberOf(this.#member.of(`${table}\n${id}\n${Buffer.from(mac).toString("hex")}`));
  }

  /** What hides the sum where it is kept. */
  maskOf(nonce: string): bigint {
    return numberOf(this.#mask.of(nonce));
  }

  /** Of the kept state; it stands in the signed head. */
  codeOf(text: string): string {
    return this.#state.of(text).toString("hex");
  }
}

function plain([name, value]: [string, unknown]): unknown {
  if (value instanceof Uint8Array) return [name, { bytes: Buffer.from(value).toString("hex") }];
  return [name, typeof value === "bigint" ? { whole: String(value) } : value];
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}
