/**
 * `GET /v1/audit/tail`, outside the contract: streams new audit records as server-sent events (WHATWG HTML, 9.2). `id:`
 * is the sequence number, so `Last-Event-ID` continues without a gap. The beginning and the end of a tail are recorded.
 */
import { setTimeout as wait } from "node:timers/promises";
import { Problem } from "@sallyport/protocol";
import { tailQuery } from "@sallyport/contract";
import type { ContractRow } from "@sallyport/contract";
import { auditScope, presentFilter, scopeOf } from "./audit-scope.ts";
import { demandKnownEventType } from "./known-filter.ts";
import type { Caller } from "./caller.ts";
import type { AdminPorts } from "./ports.ts";
import { AUDIT_TAILS } from "../kernel/shared-resources.ts";
import { Shares } from "../kernel/shares.ts";
import { judge, readQuery } from "./read-request.ts";
import { TailStream } from "./tail-stream.ts";

export const tailRoute = {
  name: "audit.tail",
  method: "GET",
  path: "/v1/audit/tail",
  permission: "audit:read",
  caller: "any",
  events: ["audit.read"],
  says: "streams new audit records (server-sent events), with the filters of a search; `Last-Event-ID` continues without a gap",
} as const satisfies Pick<ContractRow, "method" | "path" | "permission" | "caller" | "events" | "says"> & {
  readonly name: string;
};

export class Tails {
  readonly #ports: AdminPorts;
  readonly #open = new Set<TailStream>();
  readonly #shares = new Shares(AUDIT_TAILS);
  readonly #noting = new Set<Promise<void>>();

  constructor(ports: AdminPorts) {
    this.#ports = ports;
  }

  /** `again` throws the problem when the caller's right has ended. */
  async answer(caller: Caller, again: () => Caller, request: Request): Promise<Response> {
    const { environment, after, ...rest } = judge(tailQuery, readQuery(request), "query_not_accepted");
    demandKnownEventType(rest.type);
    const asked = presentFilter(rest);
    const ports = this.#ports;
    const { actor } = caller.issuer;
    const { address } = caller;
    const scope = await auditScope({ ports, caller }, environment);
    const begin = lastEventId(request) ?? after ?? ports.newestRecord();
    const full = this.#shares.take({ caller: actor });
    if (full !== undefined)
      throw new Problem(
        "concurrency_exceeded",
        full === "all" ? "too many tails are open" : "you have too many tails open",
      );
    try {
      await ports.reads.noteTail({ actor, address, how: "tail", asked: { ...asked, after: begin }, scope, count: 0 });
    } catch (cause) {
      this.#shares.give({ caller: actor });
      throw cause;
    }
    const stream = new TailStream({
      clock: ports.clock,
      wait: (ms) => wait(ms, undefined, { ref: false }),
      newest: ports.newestRecord,
      read: (page) =>
        ports.audit.read({ ...asked, ...page, ...scopeOf({ ports, caller: again() }, scope.environment) }),
      // Asked even when nothing is read: a tail without records ends with the right, too.
      demand: () => void scopeOf({ ports, caller: again() }, scope.environment),
      after: begin,
      onEnd: (count) => {
        this.#open.delete(stream);
        this.#shares.give({ caller: actor });
        // Its beginning is on record: what is lost here is how much it was.
        const noted = ports.reads.noteTail({ actor, address, how: "tail", asked, scope, count }).catch(() => undefined);
        this.#noting.add(noted);
        void noted.then(() => this.#noting.delete(noted));
      },
    });
    this.#open.add(stream);
    return stream.answer();
  }

  async close(): Promise<void> {
    for (const stream of this.#open) stream.end("stopping", "the gateway stops");
    await Promise.all(this.#noting);
  }
}

function lastEventId(request: Request): number | undefined {
  const text = request.headers.get("last-event-id");
  if (text === null || text === "") return undefined;
  if (!/^[0-9]{1,15}$/.test(text)) throw new Problem("input_invalid", "Last-Event-ID is no sequence number");
  return Number(text);
}
