/** A user has proved their identity, wherever: the waiting program gets the session, or learns that it gets none. */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { DeviceGrants } from "../../identity/device-grants.ts";
import type { LoggedIn } from "../../identity/oidc-client.ts";
import type { Exchange } from "../exchange.ts";
import { sentencePage, writePage } from "./page.ts";
import type { SessionDesk } from "./session-desk.ts";

export interface HandOverPorts {
  readonly grants: DeviceGrants;
  readonly sessions: SessionDesk;
}

export interface WaitingProgram {
  readonly environment: string;
  readonly userCode: string;
}

export async function handOver(
  exchange: Exchange,
  { grants, sessions }: HandOverPorts,
  { environment, userCode }: WaitingProgram,
  who: LoggedIn,
  isStill?: () => boolean,
): Promise<Refusal | undefined> {
  const opened = await sessions.open(who, environment, exchange.address, isStill);
  if (isRefusal(opened)) {
    grants.deny(userCode);
    return opened;
  }
  if (!grants.approve(userCode, opened.text)) return refuse("login_expired");
  const sentence = "The program has what it needs. You can close this page.";
  writePage(exchange, 200, sentencePage(`You are logged in, ${opened.person.name}`, sentence));
  return undefined;
}
