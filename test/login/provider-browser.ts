/** A person logs in at the OpenID provider by fetch alone: cookies a host, redirects followed by hand, forms filled in. */
import { expect } from "vitest";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import { DEVICE } from "./local-browser.ts";

export class ProviderBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();
  url = "";
  text = "";
  status = 0;

  async go(url: string, form?: Record<string, string>): Promise<void> {
    let next = url;
    let body = form;
    for (let hops = 0; hops < 16; hops++) {
      const { host } = new URL(next);
      const jar = this.#cookies.get(host) ?? new Map<string, string>();
      this.#cookies.set(host, jar);
      const answer = await fetch(next, {
        method: body ? "POST" : "GET",
        redirect: "manual",
        headers: {
          cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
          ...(body ? { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" } : {}),
        },
        ...(body ? { body: new URLSearchParams(body).toString() } : {}),
      });
      for (const line of answer.headers.getSetCookie()) {
        const [pair = ""] = line.split(";", 1);
        jar.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
      }
      this.text = await answer.text();
      this.status = answer.status;
      this.url = next;
      const to = answer.headers.get("location");
      if (to === null) return;
      next = new URL(to, next).href;
      body = undefined;
    }
    throw new Error("too many redirects");
  }

  /** Sends the page's form, with its hidden fields. */
  async submit(fields: Record<string, string> = {}): Promise<void> {
    const action = /<form[^>]*action="([^"]+)"/.exec(this.text)?.[1] ?? this.url;
    const hidden = [...this.text.matchAll(/<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)];
    await this.go(new URL(action, this.url).href, {
      ...Object.fromEntries(hidden.map(([, name = "", value = ""]) => [name, value])),
      ...fields,
    });
  }
}

export interface Came {
  readonly status: number;
  readonly page: string;
  /** Of the program that waited; undefined where it got nothing. */
  readonly session: string | undefined;
  /** Why it got nothing, as the token endpoint says it. */
  readonly error: string | undefined;
  /** Asks once more for what the program waited for; what the token endpoint says then. */
  pollAgain(): Promise<Record<string, string>>;
}

/** `sallyport login --env ENVIRONMENT` with the provider, as `subject`. `ahead` moves the clock past the polling interval. */
export async function logInByProvider(
  gateway: StartedGateway,
  environment: string,
  subject: string,
  ahead: () => void,
): Promise<Came> {
  const post = async (path: string, form: Record<string, string>): Promise<Record<string, string>> => {
    const answer = await fetch(gateway.url + path, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
    });
    return (await answer.json()) as Record<string, string>;
  };
  const client = { client_id: "sallyport-cli" };
  const waiting = await post(`/e/${environment}/oauth/device_authorization`, client);
  const browser = new ProviderBrowser();
  await browser.go(`${gateway.url}/e/${environment}/login?user_code=${waiting["user_code"]}`);
  expect(browser.status).toBe(200);
  await browser.go(`${gateway.url}/e/${environment}/login`, { user_code: waiting["user_code"]!, answer: "yes" });
  await browser.submit({ login: subject, password: "any" });
  if (/\/interaction\//.test(browser.url)) await browser.submit();
  const poll = (): Promise<Record<string, string>> => {
    ahead();
    const form = { ...client, grant_type: DEVICE, device_code: waiting["device_code"]! };
    return post(`/e/${environment}/oauth/token`, form);
  };
  const polled = await poll();
  const { access_token: session, error } = polled;
  return { status: browser.status, page: browser.text, session, error, pollAgain: poll };
}
