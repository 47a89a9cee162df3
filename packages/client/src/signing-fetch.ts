/**
 * A `fetch` that signs every request (RFC 9421) as a Sallyport gateway demands it. It drops into the ollama, openai and
 * anthropic libraries, and needs only what browsers have too: `fetch` and WebCrypto.
 */
import {
  ENVIRONMENT_FIELD,
  formatContentDigest,
  formatSignatureParameters,
  sallyportProfile,
  SIGNATURE_TAG,
  signatureBase,
} from "@sallyport/protocol";
import { signingKey } from "./signing-key.ts";
import { demandSafeTransport } from "./transport.ts";
import type { RequestSigner } from "./signing-key.ts";

export interface SigningFetchOptions {
  /** `http(s)://host[:port]` as the gateway's settings name it: this is signed, whatever proxies are in between. */
  readonly gateway: string;
  /** The environment the requests are for. */
  readonly environment: string;
  readonly signer: RequestSigner;
  /** A key's text to send as `Authorization`; without it, what the library or the inner `fetch` sends stays. */
  readonly key?: string;
  /** What sends the signed request. */
  readonly fetch?: typeof fetch;
  /** Epoch ms. */
  readonly now?: () => number;
}

const NONCE_BYTES = 18;

/**
 * Requests to any other origin fail, so that neither key nor signature go elsewhere, and redirects are errors for the
 * same reason. A body is read completely to compute its digest; for a stream, the caller sets `content-digest`.
 */
export function signingFetch(options: SigningFetchOptions): typeof fetch {
  const { environment, signer, key, now = Date.now, fetch: send = fetch } = options;
  const gateway = originOf(options.gateway);
  if (key !== undefined) demandSafeTransport(gateway);
  const signWith = signingKey(signer);

  return async function signedFetch(input, init) {
    const { url, method, headers, body, signal } = await readRequest(input, init);
    if (url.origin !== gateway.origin)
      throw new TypeError(`this fetch signs for ${gateway.origin} only, not for ${url.origin}`);
    if (key !== undefined) {
      for (const name of ["x-api-key", "api-key"]) headers.delete(name);
      headers.set("authorization", `Bearer ${key}`);
    }
    headers.set(ENVIRONMENT_FIELD, environment);
    if (body !== null && !headers.has("content-digest")) headers.set("content-digest", await digestOf(body));

    const { components: always, bodyComponents, lifetimeSeconds } = sallyportProfile;
    const components = body === null ? always : [...always, ...bodyComponents];
    const created = Math.floor(now() / 1000);
    const parameters = formatSignatureParameters(components, {
      created,
      expires: created + lifetimeSeconds,
      nonce: base64(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)))
        .replaceAll("+", "-")
        .replaceAll("/", "_"),
      keyid: signer.keyid,
      alg: signer.algorithm,
      tag: SIGNATURE_TAG,
    });
    const target = url.pathname + url.search;
    const scheme = url.protocol === "https:" ? "https" : "http";
    const message = { method, scheme, authority: url.host, target, rawHeaders: [...headers].flat() } as const;
    const base = signatureBase(message, components, parameters);
    if (typeof base !== "string")
      throw new TypeError(`this request cannot be signed: ${base.reason} ${base.name ?? ""}`);
    headers.set("signature-input", `sig=${parameters}`);
    headers.set("signature", `sig=:${base64(await signWith(base))}:`);
    const half = isStream(body) ? { duplex: "half" as const } : {};
    return send(url.href, { ...init, ...half, method, headers, body, signal, redirect: "error" });
  };
}

function originOf(gateway: string): URL {
  const url = new URL(gateway);
  if (!/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "")
    throw new TypeError("the gateway's URL must be http(s)://host:port, without a path");
  return url;
}

interface ReadRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | ReadableStream | null;
  readonly signal: AbortSignal | null;
}

/** What `fetch` would send, with the content type it would choose itself, before it is sent: that is signed, too. */
async function readRequest(input: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<ReadRequest> {
  const request = input instanceof Request ? input : null;
  const url = new URL(input instanceof Request ? input.url : input);
  const method = (init.method ?? request?.method ?? "GET").toUpperCase();
  const headers = new Headers(init.headers ?? request?.headers);
  const signal = init.signal ?? request?.signal ?? null;
  const given = init.body ?? null;
  if (isStream(given)) {
    if (!headers.has("content-digest"))
      throw new TypeError("a stream cannot be signed before it is read: send bytes, or set content-digest yourself");
    if (!headers.has("content-type")) headers.set("content-type", "application/octet-stream");
    return { url, method, headers, body: given, signal };
  }
  if (given === null && (request === null || request.body === null))
    return { url, method, headers, body: null, signal };
  const whole = given === null ? request! : new Response(given);
  const type = whole.headers.get("content-type") ?? "application/octet-stream";
  if (!headers.has("content-type")) headers.set("content-type", type);
  const body = new Uint8Array(await whole.arrayBuffer());
  return { url, method, headers, body: body.length === 0 ? null : body, signal };
}

function isStream(body: unknown): body is ReadableStream {
  return typeof body === "object" && body !== null && (body instanceof ReadableStream || Symbol.asyncIterator in body);
}

async function digestOf(body: Uint8Array<ArrayBuffer> | ReadableStream): Promise<string> {
  if (isStream(body)) throw new TypeError("a stream has no digest before it is read");
  const sha256 = base64(new Uint8Array(await crypto.subtle.digest("SHA-256", body)));
  return formatContentDigest({ sha256, sha512: null });
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
