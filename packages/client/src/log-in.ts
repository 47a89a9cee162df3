/** A user logs in for a program on this machine (RFC 8628): a code here, a browser anywhere. */
import { isProblemCode, Problem } from "@sallyport/protocol";
import { readJson, sendToGateway } from "./transport.ts";

const CLIENT_ID = "sallyport-cli";
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

export interface LogInOptions {
  /** `http(s)://host:port` of the gateway's data plane. */
  readonly url: string;
  readonly environment: string;
  /** Told what the person has to open and to compare. */
  readonly onCode: (code: LogInCode) => void;
  readonly wait?: (ms: number) => Promise<void>;
  readonly fetch?: typeof fetch;
}

export interface LogInCode {
  readonly userCode: string;
  /** Has the code in it already. */
  readonly address: string;
  readonly expiresInSeconds: number;
}

export interface Session {
  /** The session's own text: a key for some hours. */
  readonly session: string;
  readonly accessToken: string;
  /** Of the access token, seconds. */
  readonly expiresInSeconds: number;
  readonly scope: string;
}

/** Resolves when the person has logged in. Throws the gateway's `Problem`: `login_denied`, `login_expired`, `login_unavailable`. */
export async function logIn(options: LogInOptions): Promise<Session> {
  const { environment, onCode, wait = waitFor } = options;
  const begun = await ask(options, `/e/${environment}/oauth/device_authorization`, { client_id: CLIENT_ID });
  onCode({
    userCode: String(begun["user_code"]),
    address: String(begun["verification_uri_complete"]),
    expiresInSeconds: Number(begun["expires_in"]),
  });
  let intervalMs = Number(begun["interval"] ?? 5) * 1_000;
  const form = { grant_type: DEVICE_GRANT, client_id: CLIENT_ID, device_code: String(begun["device_code"]) };
  for (;;) {
    await wait(intervalMs);
    try {
      const got = await ask(options, `/e/${environment}/oauth/token`, form);
      return {
        session: String(got["refresh_token"]),
        accessToken: String(got["access_token"]),
        expiresInSeconds: Number(got["expires_in"]),
        scope: String(got["scope"]),
      };
    } catch (problem) {
      const code = problem instanceof Problem ? problem.code : undefined;
      if (code === "login_slow_down") intervalMs += 5_000;
      else if (code !== "login_pending") throw problem;
    }
  }
}

/** Ends a session for good, at the gateway. */
export async function logOut(
  options: Pick<LogInOptions, "url" | "environment" | "fetch">,
  session: string,
): Promise<void> {
  const keyId = session.split("_")[2] ?? "";
  const headers = { authorization: `Basic ${btoa(`${keyId}:${session}`)}` };
  await ask(options, `/e/${options.environment}/oauth/revoke`, { token: session }, headers);
}

async function ask(
  { url, fetch: send = fetch }: Pick<LogInOptions, "url" | "fetch">,
  path: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await sendToGateway(send, url + path, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(form).toString(),
  });
  const said = await readJson(answer);
  if (answer.ok) return said;
  const { code, error_description: detail } = said;
  if (typeof code === "string" && isProblemCode(code))
    throw new Problem(code, typeof detail === "string" ? detail : undefined);
  throw new Error(`the gateway answered ${answer.status} without a code it shares with us`);
}

function waitFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
