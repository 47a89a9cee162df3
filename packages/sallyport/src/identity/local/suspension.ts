/**
 * Local log-ins are judged again after every change: if the user holds more than the administrator who created the
 * log-in could grant, it is suspended, its sessions end, and an administrator with the scope must confirm it. The
 * change itself has already closed what it opened (`access/snapshot.ts`); this records it and sends notices.
 */
import type { LocalVoucher, Principal } from "../../access/policy.ts";
import type { Snapshot } from "../../access/snapshot.ts";
import type { Changes } from "../../changes/change.ts";
import type { Committed, ImageKind } from "../../changes/image.ts";
import type { LedgerEvent } from "../../audit/event.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { LocalLogins } from "./local-logins.ts";

export interface SuspensionPorts {
  readonly clock: Pick<Clock, "now">;
  readonly snapshot: () => Snapshot;
  readonly logins: LocalLogins;
  readonly changes: Changes;
  readonly endSessions: (which: { readonly principal: string }) => Promise<unknown>;
  readonly fault: (cause: unknown) => void;
}

/** After a change of these, many people may hold more than before. */
const REACHING_MANY: ReadonlySet<ImageKind> = new Set(["assignment", "role", "environment"]);

const UNKNOWN: LocalVoucher = { by: "unknown", environments: [], mayGrant: null, suspendedAt: null };

export class LocalSuspension {
  readonly #ports: SuspensionPorts;
  #isPlanned = false;

  constructor(ports: SuspensionPorts) {
    this.#ports = ports;
  }

  /** Looks at whom the change may have given more; what has to be suspended is written in the next turn. */
  hear({ images }: Pick<Committed, "images">): void {
    if (images.some(({ of }) => REACHING_MANY.has(of))) return this.look();
    const changed = images.flatMap((image) =>
      image.of === "principal" || image.of === "local_login" ? [image.id] : [],
    );
    if (changed.length > 0) this.look(new Set(changed));
  }

  /** At these people, or at all. */
  look(only?: ReadonlySet<string>): void {
    if (this.#isPlanned || this.#due(only).length === 0) return;
    this.#isPlanned = true;
    const { changes, fault } = this.#ports;
    changes
      .inTurn(() => {
        this.#isPlanned = false;
        return this.#suspend();
      })
      .catch(fault);
  }

  #due(only?: ReadonlySet<string>): Principal[] {
    const policy = this.#ports.snapshot();
    return this.#ports.logins.people(only).filter((person) => {
      const voucher = person.bounds?.localLogin;
      return !voucher?.suspendedAt && !policy.covers(voucher, person);
    });
  }

  async #suspend(): Promise<void> {
    const { clock, changes, endSessions } = this.#ports;
    for (const person of this.#due()) {
      const now = clock.now();
      const voucher = person.bounds?.localLogin ?? UNKNOWN;
      const bounds = { ...person.bounds, localLogin: { ...voucher, suspendedAt: now } };
      const fields = { principal: person.id, name: person.name, made_by: voucher.by };
      const event: LedgerEvent = {
        type: "person.local_suspended",
        at: now,
        environment: "system",
        actor: "gateway",
        fields,
      };
      await changes.change({
        operations: [{ op: "principal.put", principal: { ...person, bounds } }],
        events: [event],
      });
      await endSessions({ principal: person.id });
    }
  }
}
