/**
 * How a browser begins, sees and ends sessions of the console. These routes are not in the contract: they set and read a
 * cookie, which no other client has.
 */
import { openingSession } from "@sallyport/contract";
import { Problem } from "@sallyport/protocol";
import type { LedgerEvent } from "../../audit/event.ts";
import type { Caller } from "../caller.ts";
import type { AdminPorts } from "../ports.ts";
import { answerJson } from "../problem-answer.ts";
import { judge, readCallBody } from "../read-request.ts";
import { isoTime } from "../views.ts";
import { IDLE_MS } from "./console-sessions.ts";
import type { ConsoleSession } from "./console-sessions.ts";
import { sessionCookie } from "./session-credential.ts";

export const SESSION_PATH = "/console/session";
export const SESSIONS_PATH = "/console/sessions/:id";

/** It is read before anything is known of its sender: no more than a link needs. */
const OPENING_BYTES_MAX = 1_024;

type ConsolePorts = Pick<AdminPorts, "console" | "clock" | "changes" | "status">;

/** POST: exchanges a link's secret for a session. */
export async function openSession(ports: ConsolePorts, request: Request, address: string | null): Promise<Response> {
  const { link } = judge(
    openingSession,
    await readCallBody(request, undefined, OPENING_BYTES_MAX),
    "input_invalid",
  ) as { link: string };
  const opened = ports.console.open(link, address);
  if (opened === undefined) throw new Problem("console_link_unknown");
  const { session, cookie, token } = opened;
  try {
    await record(ports, session, "console.opened", address, { ends_at: session.endsAt });
  } catch (fault) {
    // A session that is not recorded does not begin.
    ports.console.end(session);
    throw fault;
  }
  const answer = answerJson(201, { token, session: sessionView(session) });
  answer.headers.append("set-cookie", sessionCookie(cookie, isSecure(ports)));
  return answer;
}

/** GET: who is at the console and what they may do. */
export function showSession(ports: ConsolePorts, { issuer, session }: Caller): Response {
  const own = demandSession(session);
  return answerJson(200, {
    session: sessionView(own),
    permissions: issuer.right.permissions,
    environments: issuer.right.environments,
    sessions: ports.console.of(issuer.actor).map(sessionView),
  });
}

/** DELETE: ends the session itself, or another one of the same holder. */
export async function endSession(ports: ConsolePorts, caller: Caller, id: string | null): Promise<Response> {
  const own = demandSession(caller.session);
  const ended = id === null ? own : ports.console.of(caller.issuer.actor).find((one) => one.id === id);
  if (ended === undefined) throw new Problem("endpoint_unknown");
  // Ended first: a log that cannot be written keeps no session alive.
  ports.console.end(ended);
  await record(ports, ended, "console.closed", caller.address, { by: own.id });
  const answer = answerJson(200, { ended: ended.id });
  if (ended === own) answer.headers.append("set-cookie", sessionCookie(null, isSecure(ports)));
  return answer;
}

function demandSession(session: ConsoleSession | null): ConsoleSession {
  if (session === null) throw new Problem("console_session_ended");
  return session;
}

async function record(
  { changes, clock }: ConsolePorts,
  { id, holder }: ConsoleSession,
  type: "console.opened" | "console.closed",
  address: string | null,
  more: LedgerEvent["fields"],
): Promise<void> {
  const fields = { session: id, ...more, ...(address === null ? {} : { address }) };
  const event = { type, at: clock.now(), environment: "system", actor: holder.actor, fields };
  await changes.inTurn(() => changes.change({ operations: [], events: [event] }));
}

function sessionView({ id, holder, openedAt, usedAt, endsAt, address }: ConsoleSession): object {
  return {
    id,
    actor: holder.actor,
    address,
    openedAt: isoTime(openedAt),
    usedAt: isoTime(usedAt),
    idleAt: isoTime(Math.min(endsAt, usedAt + IDLE_MS)),
    endsAt: isoTime(endsAt),
  };
}

function isSecure({ status }: ConsolePorts): boolean {
  return status().adminListen.startsWith("https:");
}
