/**
 * The bytes that all requests together may hold in memory. Taken before they are held, given back at settlement. Each
 * key and each principal has a share; callers that have not proved their identity have separate room.
 */
import { bodyByteShares, STRANGERS_BODY_BYTES } from "../kernel/shared-resources.ts";
import { Shares } from "../kernel/shares.ts";
import type { Owners } from "../kernel/shares.ts";
import { networkPrefix } from "../kernel/network-prefix.ts";
import type { KeyRecord } from "../keys/key.ts";

/** Of whom the bytes of a request are counted: fixed with its first bytes, because the key may become known later. */
export type ByteOwner = Owners<"key" | "principal"> | Owners<"network">;

/** What a request holds; a part of the exchange. */
export interface ByteHolder {
  readonly address: string;
  readonly key: KeyRecord | null;
  byteOwner: ByteOwner | null;
  heldBytes: number;
}

export class ByteBudget {
  readonly most: number;
  readonly #known: Shares<"key" | "principal">;
  readonly #strangers = new Shares(STRANGERS_BODY_BYTES);

  /** `requestBytesMax`: one request may always be as large as that, if nothing else is held. */
  constructor(most: number, requestBytesMax: number) {
    this.most = most;
    this.#known = new Shares(bodyByteShares(most, requestBytesMax));
  }

  get held(): number {
    return this.#known.held + this.#strangers.held;
  }

  /** False if that would exceed the budget or a share: deny then. */
  take(holder: ByteHolder, bytes: number): boolean {
    const owner = (holder.byteOwner ??= ownerOf(holder));
    const full = "network" in owner ? this.#strangers.take(owner, bytes) : this.#known.take(owner, bytes);
    if (full !== undefined) return false;
    holder.heldBytes += bytes;
    return true;
  }

  /** All that the request holds. */
  give(holder: ByteHolder): void {
    const { byteOwner: owner, heldBytes } = holder;
    if (owner === null || heldBytes === 0) return;
    holder.heldBytes = 0;
    if ("network" in owner) this.#strangers.give(owner, heldBytes);
    else this.#known.give(owner, heldBytes);
  }
}

function ownerOf({ key, address }: ByteHolder): ByteOwner {
  if (key === null) return { network: networkPrefix(address) };
  const name = `${key.environment}/${key.id}`;
  return { key: name, principal: key.owner ?? name };
}
