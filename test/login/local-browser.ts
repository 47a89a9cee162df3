/** What a browser does with the log-in pages, without one: forms, their hidden fields, the cookie, and where it comes from. */
import { createHmac } from "node:crypto";
import type { StartedGateway } from "../gateway/started-gateway.ts";

export const PASSWORD = "a sentence of mine, 7 times";
export const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";

export interface Shown {
  readonly status: number;
  readonly text: string;
  readonly title: string;
  readonly retryAfter: string | null;
  readonly csp: string;
}

export interface Waiting {
  readonly device_code: string;
  readonly user_code: string;
}

export class LocalBrowser {
  readonly #gateway: StartedGateway;
  #cookie = "";
  /** The page that is open. */
  page: Shown | null = null;

  constructor(gateway: StartedGateway) {
    this.#gateway = gateway;
  }

  get state(): string {
    return /name="state" value="([^"]+)"/.exec(this.page?.text ?? "")?.[1] ?? "";
  }

  async get(path: string): Promise<Shown> {
    return this.#keep(await fetch(this.#gateway.url + path, { redirect: "manual" }));
  }

  async post(path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Shown> {
    const answer = await fetch(this.#gateway.url + path, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "sec-fetch-site": "same-origin",
        ...(this.#cookie ? { cookie: this.#cookie } : {}),
        ...headers,
      },
      body: new URLSearchParams(form).toString(),
      redirect: "manual",
    });
    return this.#keep(answer);
  }

  async #keep(answer: Response): Promise<Shown> {
    const text = await answer.text();
    const cookie = answer.headers.get("set-cookie");
    if (cookie !== null) this.#cookie = cookie.split(";", 1)[0]!;
    this.page = {
      status: answer.status,
      text,
      title: /<h1>(.*?)<\/h1>/.exec(text)?.[1] ?? "",
      retryAfter: answer.headers.get("retry-after"),
      csp: answer.headers.get("content-security-policy") ?? "",
    };
    return this.page;
  }
}

/** RFC 6238 by hand, so that the gateway's own library is not what shows that it is right. */
export function otpAt(secret: string, timeMs: number): string {
  const bits = secret
    .split("")
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const bytes = Buffer.from(
    bits
      .join("")
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  );
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(timeMs / 30_000)));
  const mac = createHmac("sha1", bytes).update(counter).digest();
  const at = mac.at(-1)! & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

export interface Enrolled {
  readonly id: string;
  readonly name: string;
  readonly secret: string;
}

export class LocalHouse {
  readonly gateway: StartedGateway;
  #made = 0;

  constructor(gateway: StartedGateway) {
    this.gateway = gateway;
  }

  now(): number {
    return this.gateway.clock.now();
  }

  async person(groups: readonly string[] = ["ml-team"]): Promise<{ id: string; name: string }> {
    const name = `person ${++this.#made}`;
    const { id } = await this.gateway.admin<{ id: string }>("POST", "/v1/principals", { kind: "person", name, groups });
    return { id, name };
  }

  async invite(id: string): Promise<{ code: string; page: string }> {
    return this.gateway.admin("POST", `/v1/principals/${id}/invite`);
  }

  /** Up to the authenticator's page. */
  async choose(
    code: string,
    password = PASSWORD,
    browser = new LocalBrowser(this.gateway),
  ): Promise<{ browser: LocalBrowser; secret: string }> {
    await browser.post("/login/enrol", { invitation: code, password, again: password });
    const secret = (/<code>([A-Z2-7 ]+)<\/code>/.exec(browser.page!.text)?.[1] ?? "").replaceAll(" ", "");
    return { browser, secret };
  }

  async enrol(groups?: readonly string[]): Promise<Enrolled> {
    const { id, name } = await this.person(groups);
    const { code } = await this.invite(id);
    const { browser, secret } = await this.choose(code);
    await browser.post("/login/enrol", { state: browser.state, code: otpAt(secret, this.now()) });
    if (browser.page!.status !== 200) throw new Error(browser.page!.text);
    return { id, name, secret };
  }

  async ask(): Promise<Waiting> {
    return (await this.token("/e/dev/oauth/device_authorization", { client_id: "sallyport-cli" })).body as never;
  }

  async token(path: string, form: Record<string, string>): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await fetch(this.gateway.url + path, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(form).toString(),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  poll({ device_code }: Waiting): Promise<{ status: number; body: Record<string, unknown> }> {
    return this.token("/e/dev/oauth/token", { grant_type: DEVICE, client_id: "sallyport-cli", device_code });
  }

  /** The form for name, password and code, of a program that waits. */
  async form(waiting: Waiting): Promise<LocalBrowser> {
    const browser = new LocalBrowser(this.gateway);
    await browser.get(`/e/dev/login?user_code=${waiting.user_code}`);
    await browser.post("/e/dev/login", { user_code: waiting.user_code, answer: "local" });
    return browser;
  }

  say(
    browser: LocalBrowser,
    { name, password = PASSWORD, code }: { name: string; password?: string; code: string },
    headers?: Record<string, string>,
  ): Promise<Shown> {
    return browser.post("/login/local", { state: browser.state, name, password, code }, headers);
  }
}
