/** The few pages that a user sees at a log-in: no scripts, no pictures, nothing from other origins. */
import type { Exchange } from "../exchange.ts";

/** Text made safe by `escaped()`, or markup of ours. */
export interface LoginPage {
  readonly title: string;
  /** Markup. */
  readonly body: string;
}

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem;color:#1b1f24;background:#fff}" +
  "h1{font-size:1.4rem}code{font:600 1.2rem/1.5 ui-monospace,monospace;letter-spacing:.08em}" +
  "button,input{font:inherit;padding:.6rem 1rem;border-radius:.4rem;border:1px solid #57606a}" +
  "button{background:#0b5fff;border-color:#0b5fff;color:#fff;cursor:pointer}button.plain{background:#fff;color:#1b1f24}" +
  "label{display:block;margin:1rem 0 .3rem}p.small{color:#57606a;font-size:.9rem;overflow-wrap:anywhere}.qr svg{width:14rem;max-width:100%}" +
  "@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}button.plain{background:#0d1117;color:#e6edf3}p.small{color:#9198a1}}";

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** `formsTo`: the only places a form may lead to, also by a redirect. */
export function writePage(
  exchange: Exchange,
  status: number,
  { title, body }: LoginPage,
  formsTo: readonly string[] = [],
  headers: readonly string[] = [],
): void {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${STYLE}</style></head><body><main><h1>${escaped(title)}</h1>${body}</main></body></html>`;
  exchange.response.writeHead(status, [
    "content-type", "text/html; charset=utf-8",
    "content-length", String(Buffer.byteLength(html)),
    "cache-control", "no-store",
    "content-security-policy", `default-src 'none'; style-src 'unsafe-inline'; form-action ${["'self'", ...formsTo].join(" ")}; base-uri 'none'; frame-ancestors 'none'`,
    "x-content-type-options", "nosniff",
    // A form sends its origin to us, and to no one else.
    "referrer-policy", "same-origin",
    "x-request-id", exchange.id,
    ...headers,
  ]); // prettier-ignore
  exchange.response.end(exchange.request.method === "HEAD" ? undefined : html);
}

export function codePage(action: string, isWrong: boolean): LoginPage {
  const said = isWrong ? "<p>This code has expired or is wrong. Run <code>sallyport login</code> again.</p>" : "";
  return {
    title: "Log in for a program",
    body: `${said}<form method="get" action="${escaped(action)}"><label for="user_code">The code that the program shows</label><input id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" required maxlength="16" placeholder="WDJB-MJHT"> <button>Go on</button></form>`,
  };
}

export interface AskedLogin {
  readonly action: string;
  readonly userCode: string;
  readonly environment: string;
  readonly address: string;
  /** Null without one. */
  readonly provider: string | null;
  /** Some log in without it. */
  readonly hasLocal: boolean;
}

export function confirmPage({ action, userCode, environment, address, provider, hasLocal }: AskedLogin): LoginPage {
  const code = escaped(userCode);
  const ways =
    (provider === null ? "" : `<button name="answer" value="yes">Log in at ${escaped(provider)}</button> `) +
    (hasLocal ? '<button name="answer" value="local">Log in with a password</button> ' : "");
  return {
    title: "Is this your program?",
    body:
      `<p>A program at <b>${escaped(address)}</b> asks to act as you in <b>${escaped(environment)}</b>. It shows the code</p><p><code>${code}</code></p>` +
      `<p>Continue only if you have just started this program yourself and it shows the same code. Otherwise, someone who sent you here wants to use models in your name.</p>` +
      `<form method="post" action="${escaped(action)}"><input type="hidden" name="user_code" value="${code}">${ways}<button class="plain" name="answer" value="no">It is not mine</button></form>`,
  };
}

export function sentencePage(title: string, sentence: string): LoginPage {
  return { title, body: `<p>${escaped(sentence)}</p>` };
}
