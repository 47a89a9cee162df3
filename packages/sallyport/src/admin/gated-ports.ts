/** Administration's ports for one caller: whatever changes something asks the caller's delegation scope first. */
import { Problem, problems } from "@sallyport/protocol";
import { isUnbounded } from "../access/holding.ts";
import type { Operation } from "../changes/change.ts";
import { factorsOf } from "../keys/key.ts";
import type { KeyRecord } from "../keys/key.ts";
import { refuseExcess } from "./call.ts";
import type { Caller } from "./caller.ts";
import type { AdminPorts } from "./ports.ts";
import { excessOfOperations } from "./scope-gate.ts";

export function gatedPorts(ports: AdminPorts, { issuer }: Caller): AdminPorts {
  if (isUnbounded(issuer.right)) return ports;
  const { changes, reconciler, lifecycle, enrolment } = ports;
  const ask = async (operations: readonly Operation[]): Promise<void> =>
    refuseExcess(await excessOfOperations(ports, issuer, operations));

  /** The key works as it does now: what lets it work again, or gives it another secret, gives what it opens. */
  async function askForKey(environment: string, id: string): Promise<void> {
    const key = ports.keys.find(environment, id);
    if (key && key.state !== "revoked") await ask([{ op: "key.insert", key: { ...key, ...factorsOf(key) } }]);
  }

  return {
    ...ports,
    changes: {
      inTurn: (work) => changes.inTurn(work),
      async change(wanted) {
        await ask(wanted.operations);
        return changes.change(wanted);
      },
    },
    reconciler: {
      hear: (statements) => reconciler.hear(statements),
      judge: (statements, principals) => reconciler.judge(statements, principals),
      judgeMany: (statements) => reconciler.judgeMany(statements),
      judgeAssignment: (gone, by) => reconciler.judgeAssignment(gone, by),
      endSessions: (which) => reconciler.endSessions(which),
      async write(found, more) {
        await ask([...(more?.operations ?? []), ...found.operations]);
        await reconciler.write(found, more);
      },
    },
    lifecycle: {
      sweep: (order) => lifecycle.sweep(order),
      finish: (order) => lifecycle.finish(order),
      async rotate(order) {
        await askForKey(order.environment, order.id);
        return lifecycle.rotate(order);
      },
      async resume(order) {
        const key = ports.keys.find(order.environment, order.id);
        if (key?.state === "suspended") await askForKey(order.environment, order.id);
        return lifecycle.resume(order);
      },
    },
    enrolment: {
      async invite(person, event, voucher) {
        const login = ports.localLogins.of(person.id);
        await ask([{ op: "localLogin.put", login: { ...INVITED, ...login, principal: person.id, invitation: NEW } }]);
        return enrolment.invite(person, event, voucher);
      },
    },
    async answerAlert(answer) {
      // `<environment>/<key>/<kind>/<at>`. What a false alarm is learned from is not noticed the next time.
      const [environment = "", id = ""] = answer.alert.split("/");
      if (answer.verdict === "false_alarm") await askForKey(environment, id);
      return ports.answerAlert(answer);
    },
  };
}

const NEW = { hash: "new", expiresAt: 0 };
const INVITED = { sealed: null, otpStep: 0, invitedAt: 0, enrolledAt: null };

/** A log-in of a person is no key to be handed around: it is ended, and the person logs in again. */
export function refuseSession({ session, id }: Pick<KeyRecord, "session" | "id">): void {
  if (session) throw new Problem("key_is_session", `${id}: ${problems.key_is_session.title}`);
}
