/** Accounts of the gateway itself: how people get one, and when they are suspended. */
import { Enrolment } from "../identity/local/enrolment.ts";
import type { EnrolmentPorts } from "../identity/local/enrolment.ts";
import { HashThread, PasswordHasher } from "../identity/local/password-hasher.ts";
import { LocalSuspension } from "../identity/local/suspension.ts";
import type { SuspensionPorts } from "../identity/local/suspension.ts";

export interface LocalAccounts {
  readonly enrolment: Enrolment;
  readonly passwordHasher: PasswordHasher;
  readonly suspension: LocalSuspension;
  /** Ends the thread that hashes passwords. */
  readonly close: () => Promise<void>;
}

export function openLocalAccounts(ports: Omit<EnrolmentPorts, "hasher"> & SuspensionPorts): LocalAccounts {
  const hashThread = new HashThread();
  const passwordHasher = new PasswordHasher((password, derivation) => hashThread.derive(password, derivation));
  const suspension = new LocalSuspension(ports);
  suspension.look();
  return {
    enrolment: new Enrolment({ ...ports, hasher: passwordHasher }),
    passwordHasher,
    suspension,
    close: () => hashThread.close(),
  };
}
