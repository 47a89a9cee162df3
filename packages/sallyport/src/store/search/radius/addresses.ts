/** The addresses a key was used from, in the order in which they came, and who else used them. */
import type { LedgerRadius } from "../../../incident/blast-radius.ts";

export const ADDRESSES_MAX = 1_000;
const SHARED_MAX = 500;
/** In the place of an address whose time was over. */
export const ERASED = "(erased)";

interface Place {
  readonly firstSeq: number;
  readonly firstAt: number;
  lastAt: number;
  requests: number;
  refused: number;
  earlier: number;
}

interface Sharing {
  readonly environment: string;
  readonly actor: string;
  readonly address: string;
  readonly firstAt: number;
  lastAt: number;
  uses: number;
}

export interface AddressUse {
  readonly address: string;
  readonly seq: number;
  readonly at: number;
  readonly isRefused: boolean;
  /** Before the time that is counted. */
  readonly isEarlier: boolean;
}

export class Addresses {
  readonly #places = new Map<string, Place>();
  readonly #shared = new Map<string, Sharing>();
  #others = 0;
  #sharedOthers = 0;

  /** True for a new address. */
  use({ address, seq, at, isRefused, isEarlier }: AddressUse): boolean {
    const held = this.#places.get(address);
    if (!held && this.#places.size >= ADDRESSES_MAX) {
      if (!isEarlier) this.#others++;
      return false;
    }
    const place = held ?? { firstSeq: seq, firstAt: at, lastAt: at, requests: 0, refused: 0, earlier: 0 };
    if (!held) this.#places.set(address, place);
    place.lastAt = Math.max(place.lastAt, at);
    if (isEarlier) place.earlier++;
    else if (isRefused) place.refused++;
    else place.requests++;
    return held === undefined;
  }

  has(address: string): boolean {
    return this.#places.has(address) && address !== ERASED;
  }

  /** Another key used one of them. */
  share(address: string, environment: string, actor: string, at: number): void {
    const name = `${address} ${environment} ${actor}`;
    const held = this.#shared.get(name);
    if (held) {
      held.uses++;
      held.lastAt = Math.max(held.lastAt, at);
    } else if (this.#shared.size < SHARED_MAX)
      this.#shared.set(name, { environment, actor, address, firstAt: at, lastAt: at, uses: 1 });
    else this.#sharedOthers++;
  }

  result(): Pick<LedgerRadius, "addresses" | "shared"> {
    const rows = [...this.#places].map(([address, place]) => ({ address, ...place, ...timesOf(place) }));
    const shared = [...this.#shared.values()].map((one) => ({ ...one, ...timesOf(one) }));
    return {
      addresses: { rows, others: this.#others },
      shared: { rows: shared.sort((a, b) => b.uses - a.uses), others: this.#sharedOthers },
    };
  }
}

function timesOf({ firstAt, lastAt }: { readonly firstAt: number; readonly lastAt: number }) {
  return { firstAt: new Date(firstAt).toISOString(), lastAt: new Date(lastAt).toISOString() };
}
