/**
 * How a user gets a local log-in: invited by an operator, the user chooses a password and enters a code of the
 * authenticator, which uses the invitation up. A second invitation removes everything old, sessions included.
 */
import { createHash } from "node:crypto";
import type { Refusal } from "@sallyport/protocol";
import { Problem, refuse } from "@sallyport/protocol";
import type { Principal, Voucher } from "../../access/policy.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import type { Changes, Operation } from "../../changes/change.ts";
import type { Clock } from "../../kernel/clock.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import { Secret } from "../../kernel/secret.ts";
import type { Sealer } from "../../keys/sealer.ts";
import { sealLocal } from "./local-login.ts";
import type { LocalLogin } from "./local-login.ts";
import type { LocalLogins } from "./local-logins.ts";
import { newOtpSecret, stepOf } from "./one-time-code.ts";
import type { PasswordHasher } from "./password-hasher.ts";
import { refusePassword } from "./password.ts";

export interface EnrolmentPorts {
  readonly clock: Pick<Clock, "now">;
  readonly logins: LocalLogins;
  readonly sealer: Pick<Sealer, "seal">;
  readonly hasher: Pick<PasswordHasher, "hash">;
  readonly changes: Changes;
  readonly endSessions: (which: { readonly principal: string }) => Promise<unknown>;
}

/** A password is chosen and its second factor is not confirmed yet. */
export interface BegunEnrolment {
  readonly principal: string;
  readonly name: string;
  readonly invitation: string;
  /** PHC string. */
  readonly password: string;
  readonly otp: Secret;
}

export class Enrolment {
  readonly #ports: EnrolmentPorts;

  constructor(ports: EnrolmentPorts) {
    this.#ports = ports;
  }

  /**
   * Called in a turn. `event` is written with it, and with whose delegation scope it was done. Throws `conflict` where two
   * people would have one name.
   */
  async invite(
    person: Principal,
    event: LedgerEvent,
    voucher: Voucher,
  ): Promise<{ readonly code: Secret; readonly expiresAt: number }> {
    const { clock, logins, changes, endSessions } = this.#ports;
    if (logins.isTaken(person))
      throw new Problem("conflict", `another person named ${JSON.stringify(person.name)} logs in here`);
    const code = newInvitation();
    const invitedAt = clock.now();
    const expiresAt = invitedAt + INVITATION_MS;
    const login: LocalLogin = {
      principal: person.id,
      invitation: { hash: hashInvitation(code.reveal())!, expiresAt },
      sealed: null,
      otpStep: logins.of(person.id)?.otpStep ?? 0,
      invitedAt,
      enrolledAt: null,
    };
    const bounds = { ...person.bounds, localLogin: { ...voucher, suspendedAt: null } };
    await changes.change({
      operations: [
        { op: "localLogin.put", login },
        { op: "principal.put", principal: { ...person, bounds } },
      ],
      events: [event],
    });
    await endSessions({ principal: person.id });
    return { code, expiresAt };
  }

  /** `invitation_invalid`, `owner_disabled`, `password_unfit`, or `overloaded`. */
  async begin(code: string, password: Secret): Promise<BegunEnrolment | Refusal> {
    const hash = hashInvitation(code);
    const person = hash === undefined ? undefined : this.#invited(hash);
    if (!person || hash === undefined) return refuse("invitation_invalid");
    if (person.isDisabled) return refuse("owner_disabled");
    const unfit = refusePassword(password, person.name);
    if (unfit !== undefined) return refuse("password_unfit", unfit);
    const hashed = await this.#ports.hasher.hash(password, `invitation of ${person.id}`);
    if (hashed === undefined) return refuse("overloaded");
    return { principal: person.id, name: person.name, invitation: hash, password: hashed, otp: newOtpSecret() };
  }

  /** Uses the invitation up. `login_wrong` for an invalid code; then the user can try again. */
  finish(begun: BegunEnrolment, otpCode: string, address: string): Promise<Principal | Refusal> {
    const { clock, logins, sealer, changes, endSessions } = this.#ports;
    return changes.inTurn(async () => {
      const now = clock.now();
      const person = this.#invited(begun.invitation);
      if (!person || person.id !== begun.principal) return refuse("invitation_invalid");
      if (person.isDisabled) return refuse("owner_disabled");
      const otpStep = stepOf(begun.otp, otpCode, now);
      if (otpStep === undefined) return refuse("login_wrong");
      const { invitedAt } = logins.of(person.id)!;
      const sealed = sealLocal(sealer, person.id, begun);
      const login: LocalLogin = {
        principal: person.id,
        invitation: null,
        sealed,
        otpStep,
        invitedAt,
        enrolledAt: now,
      };
      const operation: Operation = { op: "localLogin.put", login };
      const fields = { principal: person.id, name: person.name, method: "password+otp", address };
      const actor = `principal:${person.id}`;
      await changes.change({
        operations: [operation],
        events: [{ type: "person.enrolled", at: now, environment: "system", actor, fields }],
      });
      await endSessions({ principal: person.id });
      return person;
    });
  }

  #invited(hash: string): Principal | undefined {
    return this.#ports.logins.invited(hash, this.#ports.clock.now())?.person;
  }
}

const INVITATION_MS = 24 * 3_600_000;
const LENGTH = 26;

export function newInvitation(): Secret {
  return new Secret(randomBase62(LENGTH));
}

/** Of what cannot be guessed a plain hash is enough. Undefined for what is no code. */
export function hashInvitation(code: string): string | undefined {
  const text = code.replace(/\s/g, "");
  return /^[0-9A-Za-z]{26}$/.test(text) ? createHash("sha256").update(text).digest("hex") : undefined;
}
