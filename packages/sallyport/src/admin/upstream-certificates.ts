/** Certificates for TLS to a model server, as an administrator sends them: tried out before they are stored. */
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { UpstreamTls } from "../access/upstream-state.ts";
import { Secret } from "../kernel/secret.ts";
import { refuseMistakes } from "./call.ts";

export interface SentCertificates {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Throws `input_invalid` with everything that is wrong; never with a part of the key. */
export function readUpstreamTls({ ca, certificate, key }: SentCertificates, url: string): UpstreamTls {
  const mistakes: string[] = [];
  if (!url.startsWith("https://")) mistakes.push(`${url} is not https: certificates would not be used`);
  if (ca === undefined && certificate === undefined && key === undefined)
    mistakes.push("send `ca`, or `certificate` with `key`, or all three");
  if ((certificate === undefined) !== (key === undefined))
    mistakes.push("`certificate` and `key` belong together: send both or neither");
  for (const [name, text] of Object.entries({ ca, certificate }))
    if (text !== undefined && !areCertificates(text)) mistakes.push(`${name}: is not one or more certificates in PEM`);
  refuseMistakes(mistakes);
  try {
    createSecureContext({ ...(ca ? { ca } : {}), ...(certificate && key ? { cert: certificate, key } : {}) });
  } catch {
    refuseMistakes(["`key` is not the unencrypted private key of `certificate`, in PEM"]);
  }
  return { ca: ca ?? null, client: certificate && key ? { certificate, key: new Secret(key) } : null };
}

const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";

/** Only certificates: a key that is sent in the wrong place must not be taken for a public text. */
function areCertificates(text: string): boolean {
  const parts = text.split(BEGIN).slice(1);
  if (parts.length === 0 || text.includes("PRIVATE KEY")) return false;
  try {
    for (const part of parts) new X509Certificate(BEGIN + part.slice(0, part.indexOf(END) + END.length));
    return true;
  } catch {
    return false;
  }
}
