/** Signature Version 4 of one request to an S3-compatible store, in its headers (AWS, "Authenticating Requests", SigV4). */
import { createHash, createHmac } from "node:crypto";
import type { Secret } from "../../kernel/secret.ts";

export interface SigV4Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  readonly region: string;
  readonly service: string;
}

export interface SignedS3Request {
  readonly method: string;
  /** Its path is encoded already, as `encodePath()` does. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers given, with those that sign them. `now` in epoch ms. */
export function signV4(request: SignedS3Request, credential: SigV4Credential, now: number): Record<string, string> {
  const { method, url, body } = request;
  const time = `${new Date(now).toISOString().replace(/[-:]/g, "").slice(0, 15)}Z`;
  const hashed = sha256(body);
  const headers = { ...request.headers, host: url.host, "x-amz-content-sha256": hashed, "x-amz-date": time };
  const names = Object.keys(headers)
    .map((name) => name.toLowerCase())
    .toSorted();
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const lines = names.map((name) => `${name}:${values.get(name)!.trim().replace(/ +/g, " ")}\n`).join("");
  const signedNames = names.join(";");
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
    .toSorted()
    .join("&");
  const canonical = [method, url.pathname, query, lines, signedNames, hashed].join("\n");
  const { accessKeyId, secretAccessKey, region, service } = credential;
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
  let key: Buffer = Buffer.from(`AWS4${secretAccessKey.reveal()}`);
  for (const part of [time.slice(0, 8), region, service, "aws4_request"]) key = hmac(key, part);
  const signature = hmac(key, text).toString("hex");
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedNames}, Signature=${signature}`,
  };
}

/** Everything but letters, digits, `-._~` and `/` as `%XX`: the one encoding S3 computes with. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeRfc3986).join("/");
}

function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
