/** The local log-ins, held in memory and read anew after each change of them. Few, so a name is looked for by walking them. */
import type { Snapshot } from "../../access/snapshot.ts";
import type { Principal } from "../../access/policy.ts";
import type { LocalLogin, LocalLoginState } from "./local-login.ts";

export interface LocalLoginsPorts {
  readonly snapshot: () => Pick<Snapshot, "principals">;
  readonly read: () => readonly LocalLogin[];
}

export interface FoundPerson {
  readonly person: Principal;
  readonly login: LocalLogin;
}

export class LocalLogins {
  readonly #ports: LocalLoginsPorts;
  #held: ReadonlyMap<string, LocalLogin> = new Map();

  constructor(ports: LocalLoginsPorts) {
    this.#ports = ports;
    this.changed();
  }

  changed(): void {
    this.#held = new Map(this.#ports.read().map((login) => [login.principal, login]));
  }

  /** Somebody can log in here without a provider. */
  get isAny(): boolean {
    return this.#held.size > 0;
  }

  of(principal: string): LocalLogin | undefined {
    return this.#held.get(principal);
  }

  /** Everyone who logs in here, or was invited to. */
  people(): readonly Principal[] {
    return [...this.#all()].map(({ person }) => person);
  }

  stateOf(principal: string, now: number): LocalLoginState {
    const login = this.#held.get(principal);
    if (login && this.#ports.snapshot().principals.get(principal)?.bounds?.localLogin?.suspendedAt) return "suspended";
    if (login?.sealed) return "enrolled";
    return login?.invitation && login.invitation.expiresAt > now ? "invited" : "none";
  }

  /** Undefined for nobody who has a password, and for more than one: nobody is let in on doubt. */
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
