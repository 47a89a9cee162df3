/** Asks the table of standing: for a request, and for questions about a key or a token. */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { decide } from "../access/decide.ts";
import type { Presented } from "../access/door.ts";
import type { EffectiveRight, Snapshot } from "../access/snapshot.ts";
import type { Clock } from "../kernel/clock.ts";
import type { KeyDirectory } from "../keys/directory.ts";
import type { FirstNetworks } from "../keys/first-networks.ts";
import { currentSecret } from "../keys/key.ts";
import type { KeyRecord } from "../keys/key.ts";
import type { RevokedTokens } from "../tokens/revoked-tokens.ts";
import type { Token } from "../tokens/token.ts";
import type { Exchange } from "./exchange.ts";
import { rightOf } from "./exchange-right.ts";
import { refuseStanding } from "./standing.ts";
import type { Claim, StandingFacts } from "./standing.ts";
import type { Way } from "./wire/endpoint.ts";

export interface JudgePorts {
  readonly clock: Clock;
  readonly snapshot: () => Snapshot;
  readonly keys: Pick<KeyDirectory, "find">;
  readonly revokedTokens: Pick<RevokedTokens, "has">;
  readonly firstNetworks: Pick<FirstNetworks, "boundTo">;
  /** Environments this listener serves; null = all. */
  readonly environments: ReadonlySet<string> | null;
}

export class Judge {
  readonly #ports: JudgePorts;
  readonly #facts: StandingFacts;

  constructor(ports: JudgePorts) {
    this.#ports = ports;
    const { revokedTokens, firstNetworks, environments } = ports;
    this.#facts = {
      isRevoked: (environment, id) => revokedTokens.has(environment, id),
      isServedHere: (environment) => environments === null || environments.has(environment),
      boundTo: (key) => firstNetworks.boundTo(key),
    };
  }

  /** Of a credential that was just proven: fills in the exchange's right. Undefined where it is admitted. */
  admit(exchange: Exchange): Refusal | undefined {
    const key = exchange.key!;
    const right = rightOf(this.#ports.snapshot(), key, exchange.token);
    exchange.right = right ?? null;
    // That it brings a signature is what is known by now.
    const isSigned = exchange.hasSignature || ASKED_WHEN_READ.has(exchange.endpoint!.way);
    const claim = claimOf(exchange, key, right, isSigned, this.#ports.clock.now());
    return refuseStanding("admission", claim, this.#facts);
  }

  /** The exchange's right as it is now, or why it may not go on. */
  again(exchange: Exchange): EffectiveRight | Refusal {
    const { snapshot, keys, clock } = this.#ports;
    const { environment, id } = exchange.key!;
    const key = keys.find(environment, id);
    if (!key) return refuse("key_unknown");
    const right = rightOf(snapshot(), key, exchange.token);
    const claim = claimOf(exchange, key, right, exchange.isSigned, clock.now());
    return refuseStanding("again", claim, this.#facts) ?? right!;
  }

  /** The same with the decision on what was granted before: the right by which it waits or runs, or why it must end. */
  decideAgain(exchange: Exchange): EffectiveRight | Refusal {
    const right = this.again(exchange);
    if (isRefusal(right)) return right;
    const decision = decide(right, exchange.question!, exchange);
    return decision.isAllowed ? right : decision.refusal;
  }

  refuseNow(exchange: Exchange): Refusal | undefined {
    const right = this.decideAgain(exchange);
    return isRefusal(right) ? right : undefined;
  }

  /**
   * For the key by itself, without a request; access conditions are not checked unless the question says what a request
   * would provide.
   */
  explain(key: KeyRecord, way: Way, presented: Presented | null, because: string[]): Refusal | undefined {
    const claim = this.#claimOf(key, null, way, presented ?? UNSAID);
    return refuseStanding("explain", claim, this.#facts, because);
  }

  /** A genuine token of the key would be admitted, from where it is at home. */
  isAlive(key: KeyRecord, token: Token): boolean {
    const claim = this.#claimOf(key, token, "model", UNSAID);
    return refuseStanding("introspection", claim, this.#facts) === undefined;
  }

  #claimOf(
    key: KeyRecord,
    token: Token | null,
    way: Way,
    { address, isSigned, isIdentified }: Pick<Claim, "address" | "isSigned" | "isIdentified">,
  ): Claim {
    const right = rightOf(this.#ports.snapshot(), key, token);
    const now = this.#ports.clock.now();
    const nothing = { pathSecret: null, ollamaSigner: null, signer: null, upstream: null };
    return {
      key, right, secret: currentSecret(key), token, ...nothing, way, address, isSigned, isIdentified, now,
    }; // prettier-ignore
  }
}

/** OAuth's endpoints read the form before they know who asks. A signature is not demanded of who only takes away. */
const ASKED_WHEN_READ: ReadonlySet<Way> = new Set(["oauth", "revoke"]);

const UNSAID = { address: null, isSigned: false, isIdentified: false };

function claimOf(
  exchange: Exchange,
  key: KeyRecord,
  right: EffectiveRight | undefined,
  isSigned: boolean,
  now: number,
): Claim {
  return {
    key,
    right,
    secret: exchange.secret!,
    token: exchange.token,
    pathSecret: exchange.pathSecret === null ? null : exchange.key!.pathSecret,
    ollamaSigner: exchange.ollamaSigner,
    signer: exchange.signer,
    way: exchange.endpoint!.way,
    address: exchange.address,
    isSigned,
    isIdentified: exchange.isIdentified,
    upstream: exchange.upstream?.spec ?? null,
    now,
  };
}
