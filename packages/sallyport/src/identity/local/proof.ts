/**
 * A user proves their identity by name, password and code. Whatever is wrong, the response and the work are the same; a
 * code counts once, and that is on disk before anything is given for it.
 */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Changes } from "../../changes/change.ts";
import type { Clock } from "../../kernel/clock.ts";
import { Secret } from "../../kernel/secret.ts";
import type { Sealer } from "../../keys/sealer.ts";
import type { LoggedIn } from "../oidc-client.ts";
import type { GuessDelay } from "./guess-delay.ts";
import { openLocal, sealLocal } from "./local-login.ts";
import type { LocalLogin, LocalSecrets } from "./local-login.ts";
import type { FoundPerson, LocalLogins } from "./local-logins.ts";
import { stepOf } from "./one-time-code.ts";
import type { PasswordHasher } from "./password-hasher.ts";
import { HASH_BYTES, PRESENT_COST, writePhc } from "./password-hash.ts";

export interface ProofPorts {
  readonly clock: Pick<Clock, "now">;
  readonly logins: LocalLogins;
  readonly sealer: Sealer;
  readonly hasher: PasswordHasher;
  readonly delay: GuessDelay;
  /** Resolves when the delay knows where people logged in before this start. */
  readonly knownNetworks: () => Promise<void>;
  readonly networkOf: (address: string) => string;
  readonly changes: Changes;
}

export interface ProofSaid {
  readonly name: string;
  readonly password: Secret;
  readonly code: string;
}

export interface Proven {
  readonly who: LoggedIn;
  /** No second invitation was made meanwhile. */
  readonly isStill: () => boolean;
}

/** In the place of a provider's name: no URL, so no provider can have it. */
export const LOCAL_ISSUER = "urn:sallyport:local";

const NAME_LENGTH_MAX = 100;

/** Compared if there is no such user: no password hashes to it. */
const NOBODY: LocalSecrets = {
  password: writePhc({ ...PRESENT_COST, salt: Buffer.alloc(16), hash: Buffer.alloc(HASH_BYTES) }),
  otp: new Secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
};

/** The spelling by which guesses at a name are counted. */
export function guessedName(name: string): string {
  return name.normalize("NFKC").slice(0, NAME_LENGTH_MAX);
}

export class Proof {
  readonly #ports: ProofPorts;

  constructor(ports: ProofPorts) {
    this.#ports = ports;
  }

  /** `login_delayed`, `overloaded`, or `login_wrong` for everything that is wrong. */
  async prove({ name: written, password, code }: ProofSaid, address: string): Promise<Proven | Refusal> {
    const { clock, logins, sealer, hasher, delay, networkOf } = this.#ports;
    // In one spelling, so that no name is guessed at under several.
    const name = guessedName(written);
    await this.#ports.knownNetworks();
    const network = networkOf(address);
    const waitMs = delay.begin(name, network);
    if (waitMs > 0) return refuse("login_delayed").with({ retryAfterSeconds: Math.ceil(waitMs / 1_000) });
    const found = logins.named(name);
    const secrets = found?.login.sealed ? openLocal(sealer, found.person.id, found.login.sealed) : NOBODY;
    const verified = await hasher.verify(password, secrets.password, network);
    if (!verified) return refuse("overloaded");
    const step = stepOf(secrets.otp, code, clock.now());
    if (!found) return refuse("login_wrong").with({ signal: "unknown_id" });
    if (!verified.isRight || step === undefined || step <= found.login.otpStep)
      return refuse("login_wrong").with({ signal: "wrong_secret" });
    const raised = verified.isOld ? await hasher.hash(password, network) : undefined;
    const sealed = raised === undefined ? null : sealLocal(sealer, found.person.id, { ...secrets, password: raised });
    return this.#count(found, step, sealed, { name, network, address });
  }

  #count(
    { person, login }: FoundPerson,
    otpStep: number,
    raised: string | null,
    { name, network, address }: { name: string; network: string; address: string },
  ): Promise<Proven | Refusal> {
    const { clock, logins, changes, delay } = this.#ports;
    return changes.inTurn(async () => {
      const present = logins.of(person.id);
      // A second invitation, or the same code twice at the same time.
      if (!present || present.sealed !== login.sealed || otpStep <= present.otpStep) return refuse("login_wrong");
      const now = clock.now();
      const next: LocalLogin = { ...present, sealed: raised ?? present.sealed, otpStep };
      const fields = {
        principal: person.id,
        name: person.name,
        method: "password+otp",
        address,
        failed_before: delay.succeeded(name, network),
        ...(raised === null ? {} : { rehashed: true }),
      };
      await changes.change({
        operations: [{ op: "localLogin.put", login: next }],
        events: [{ type: "person.proved", at: now, environment: "system", actor: `principal:${person.id}`, fields }],
      });
      const who: LoggedIn = {
        issuer: LOCAL_ISSUER,
        subject: person.id,
        sid: null,
        authenticatedAt: Math.floor(now / 1_000),
        name: person.name,
        groups: null,
      };
      return { who, isStill: () => logins.of(person.id)?.sealed === next.sealed };
    });
  }
}
