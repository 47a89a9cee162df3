/**
 * Keys that are bound to the network of their first use. The first caller binds; until that is recorded, and
 * afterwards, every other network is denied. If several callers race, one of them is the first.
 */
import type { Changes } from "../changes/change.ts";
import type { Clock } from "../kernel/clock.ts";
import { isLoopbackAddress, NetworkList } from "../kernel/network-list.ts";
import type { KeyDirectory } from "./directory.ts";
import { factorsOf } from "./key.ts";
import type { KeyRecord } from "./key.ts";

export interface FirstNetworksPorts {
  readonly clock: Clock;
  readonly keys: Pick<KeyDirectory, "find">;
  readonly changes: Changes;
  /** What failed: the key stays bound in memory, and the next use tries again. */
  readonly fault: (cause: unknown) => void;
}

export class FirstNetworks {
  readonly #ports: FirstNetworksPorts;
  /** Bound and not written down yet, by `environment/id`. */
  readonly #binding = new Map<
    string,
    { readonly texts: readonly string[]; readonly list: NetworkList; isWriting: boolean }
  >();

  constructor(ports: FirstNetworksPorts) {
    this.#ports = ports;
  }

  /** Where a first use has bound the key, for as long as that is not written down; undefined = nowhere yet. */
  boundTo({ environment, id, binding, networks }: KeyRecord): NetworkList | undefined {
    if (binding === null || networks !== null) return undefined;
    return this.#binding.get(`${environment}/${id}`)?.list;
  }

  /** A use from where the key may be used: the first one binds it, where it is to be bound. */
  bind(key: KeyRecord, address: string): void {
    if (key.binding === null || key.networks !== null) return;
    const name = `${key.environment}/${key.id}`;
    let held = this.#binding.get(name);
    if (!held) {
      const texts = networkOfFirstUse(address);
      held = { texts, list: new NetworkList(texts), isWriting: false };
      this.#binding.set(name, held);
    }
    if (held.isWriting) return;
    held.isWriting = true;
    this.#write(key, held.texts, name);
  }

  #write({ environment, id }: KeyRecord, networks: readonly string[], name: string): void {
    const { clock, keys, changes, fault } = this.#ports;
    changes
      .inTurn(async () => {
        const key = keys.find(environment, id);
        if (!key || key.binding === null || key.networks !== null) return;
        await changes.change({
          operations: [{ op: "key.factors", environment, id, factors: { ...factorsOf(key), networks } }],
          events: [
            {
              type: "key.bound",
              at: clock.now(),
              environment,
              actor: "gateway",
              fields: { key: id, name: key.name, networks },
            },
          ],
        });
      })
      .then(() => void this.#binding.delete(name))
      .catch((cause: unknown) => {
        const held = this.#binding.get(name);
        if (held) held.isWriting = false;
        fault(cause);
      });
  }
}

/** One IPv4 address; of IPv6 the /64, in which a machine changes its address by itself; of loopback, both families. */
function networkOfFirstUse(address: string): readonly string[] {
  if (isLoopbackAddress(address)) return ["127.0.0.0/8", "::1/128"];
  return [address.includes(":") ? `${address}/64` : `${address}/32`];
}
