/** A person's own keys, over a gateway's data plane with the session that `logIn()` gave. */
import { isProblemCode, OWN_KEY_RESUME_PATH, OWN_KEYS_PATH, Problem } from "@sallyport/protocol";
import { readJson, sendToGateway } from "./transport.ts";
import type { OwnKeysAnswer, OwnKeyView } from "@sallyport/protocol";

export interface OwnKeysOptions {
  /** `http(s)://host:port` of the gateway's data plane. */
  readonly url: string;
  /** The session's own text. */
  readonly session: string;
  readonly fetch?: typeof fetch;
}

/** Those of the session's environment that are not over. Throws the gateway's `Problem`: `session_missing`, `key_expired`. */
export async function listOwnKeys(options: OwnKeysOptions): Promise<OwnKeysAnswer> {
  return (await ask(options, "GET", OWN_KEYS_PATH)) as OwnKeysAnswer;
}

/** The key as it is then. Throws the gateway's `Problem`: `not_found`, `resume_denied`, `resume_spent`. */
export async function resumeOwnKey(options: OwnKeysOptions, id: string): Promise<OwnKeyView> {
  return (await ask(options, "POST", OWN_KEY_RESUME_PATH, JSON.stringify({ id }))) as OwnKeyView;
}

async function ask(
  { url, session, fetch: send = fetch }: OwnKeysOptions,
  method: "GET" | "POST",
  path: string,
  body?: string,
): Promise<unknown> {
  const answer = await sendToGateway(send, url + path, {
    method,
    headers: {
      authorization: `Bearer ${session}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const said = await readJson(answer);
  if (answer.ok) return said;
  const { code } = said;
  if (typeof code === "string" && isProblemCode(code)) throw new Problem(code);
  throw new Error(`the gateway answered ${answer.status} without a code it shares with us`);
}
