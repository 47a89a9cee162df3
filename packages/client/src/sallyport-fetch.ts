/**
 * A `fetch` for the ollama, openai and anthropic libraries: it replaces the credential that the library was configured
 * with by this machine's, for one gateway only, and resolves it again when the gateway no longer accepts it.
 */
import { Problem } from "@sallyport/protocol";
import type { Credential } from "./credential/credential.ts";
import { gatewayUrl, resolveCredential } from "./credential/resolve.ts";
import type { CredentialOptions } from "./credential/resolve.ts";
import { demandSafeTransport } from "./transport.ts";

export interface SallyportFetchOptions extends CredentialOptions {
  /** Where the credential comes from; this machine's sources, in their order, unless given. */
  readonly credential?: (() => Promise<Credential>) | undefined;
  /** What sends; the global one unless given. */
  readonly fetch?: typeof fetch | undefined;
}

/** Credentials are replaced so long before their end. */
const EARLY_MS = 30_000;
/** Each of them is a credential to the gateway, which rejects two. */
const CREDENTIAL_HEADERS = ["authorization", "x-api-key", "api-key"];

/**
 * Requests to any other origin fail before anything is sent, redirects are errors, and a request that returned 401 is
 * sent once more if there is another credential by then and the body can be sent again.
 */
export function sallyportFetch(options: SallyportFetchOptions = {}): typeof fetch {
  const origin = gatewayUrl(options);
  demandSafeTransport(origin);
  const { now = Date.now } = options;
  const credential = options.credential ?? (() => resolveCredential(options));
  let held: Promise<Credential> | undefined;

  /** Requests that begin at the same time ask once. */
  async function present(): Promise<Credential> {
    const mine = (held ??= credential());
    try {
      const found = await mine;
      if (found.expiresAt === null || found.expiresAt - EARLY_MS > now()) return found;
    } catch (cause) {
      if (held === mine) held = undefined;
      throw cause;
    }
    if (held === mine) held = credential();
    return held ?? present();
  }

  /** What replaces a rejected credential; undefined if there is nothing else. */
  async function another(refused: Credential): Promise<Credential | undefined> {
    if (held && (await held) === refused) held = undefined;
    const found = await present();
    return found.secret.reveal() === refused.secret.reveal() ? undefined : found;
  }

  return async function fetchWithCredential(input, init) {
    const target = input instanceof Request ? input.url : String(input);
    if (!URL.canParse(target) || new URL(target).origin !== origin)
      throw new Problem("input_invalid", `this fetch speaks to ${origin} alone: give the library that address`);
    const { fetch: send = fetch } = options;
    const first = await present();
    const answer = await send(input, withCredential(input, init, first));
    if (answer.status !== 401 || !canBeSentAgain(input, init)) return answer;
    const second = await another(first).catch(() => undefined);
    if (!second) return answer;
    await answer.body?.cancel();
    return send(input, withCredential(input, init, second));
  };
}

type Input = Parameters<typeof fetch>[0];

function withCredential(input: Input, init: RequestInit | undefined, { secret }: Credential): RequestInit {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : {}));
  for (const name of CREDENTIAL_HEADERS) headers.delete(name);
  headers.set("authorization", `Bearer ${secret.reveal()}`);
  return { ...init, headers, redirect: "error" };
}

/** A stream is gone once it was read. */
function canBeSentAgain(input: Input, init: RequestInit | undefined): boolean {
  const body: unknown = init?.body ?? (input instanceof Request ? input.body : null);
  if (body === null || body === undefined || typeof body === "string") return true;
  const whole = [ArrayBuffer, Blob, FormData, URLSearchParams];
  return ArrayBuffer.isView(body) || whole.some((kind) => body instanceof kind);
}
