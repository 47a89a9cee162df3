/** The local log-ins, held in memory. Few, so a name is looked for by walking them. */
import type { Snapshot } from "../../access/snapshot.ts";
import type { Principal } from "../../access/policy.ts";
import type { ImageOf, View } from "../../changes/image.ts";
import type { LocalLogin, LocalLoginState } from "./local-login.ts";

export interface LocalLoginsPorts {
  readonly snapshot: () => Pick<Snapshot, "principals">;
  readonly read: () => readonly LocalLogin[];
}

export interface FoundPerson {
  readonly person: Principal;
  readonly login: LocalLogin;
}

export class LocalLogins implements View<"local_login"> {
  readonly name = "local_logins";
  readonly hears = ["local_login"] as const;
  readonly #ports: LocalLoginsPorts;
  /** By principal. */
  readonly #held = new Map<string, LocalLogin>();

  constructor(ports: LocalLoginsPorts) {
    this.#ports = ports;
    this.rebuild();
  }

  apply(images: readonly ImageOf<"local_login">[]): void {
    for (const { id, now } of images) {
      if (now) this.#held.set(id, now);
      else this.#held.delete(id);
    }
  }

  rebuild(): void {
    this.#held.clear();
    for (const login of this.#ports.read()) this.#held.set(login.principal, login);
  }

  /** Whether any user can log in without a provider. */
  get isAny(): boolean {
    return this.#held.size > 0;
  }

  of(principal: string): LocalLogin | undefined {
    return this.#held.get(principal);
  }

  /** Everyone who logs in here, or was invited to; of these only, where they are named. */
  people(only?: ReadonlySet<string>): readonly Principal[] {
    if (!only) return [...this.#all()].map(({ person }) => person);
    const { principals } = this.#ports.snapshot();
    return [...only].flatMap((id) => {
      const person = this.#held.has(id) ? principals.get(id) : undefined;
      return person?.kind === "person" ? [person] : [];
    });
  }

  stateOf(principal: string, now: number): LocalLoginState {
    const login = this.#held.get(principal);
    if (login && this.#ports.snapshot().principals.get(principal)?.bounds?.localLogin?.suspendedAt) return "suspended";
    if (login?.sealed) return "enrolled";
    return login?.invitation && login.invitation.expiresAt > now ? "invited" : "none";
  }

  /** Undefined if no user, or more than one, has this name and a password: in doubt, no one gets in. */
  named(name: string): FoundPerson | undefined {
    const found = [...this.#all()].filter(({ person, login }) => login.sealed !== null && isNamed(person, name));
    return found.length === 1 ? found[0] : undefined;
  }

  /** Another person of that name who logs in here: the two could not be told apart. */
  isTaken({ id, name }: Principal): boolean {
    return [...this.#all()].some(({ person }) => person.id !== id && isNamed(person, name));
  }

  /** Whose invitation it is, as long as it waits. */
  invited(hash: string, now: number): FoundPerson | undefined {
    return [...this.#all()].find(({ login }) => login.invitation?.hash === hash && login.invitation.expiresAt > now);
  }

  *#all(): Generator<FoundPerson> {
    const { principals } = this.#ports.snapshot();
    for (const login of this.#held.values()) {
      const person = principals.get(login.principal);
      if (person?.kind === "person") yield { person, login };
    }
  }
}

function isNamed({ name }: Principal, asked: string): boolean {
  return name.normalize("NFKC") === asked.normalize("NFKC");
}
