/** Whether the listeners' certificate still serves: its dates, its key, and who else can read that key. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Settings } from "../../config/settings.ts";
import { checkFile } from "./doctor-secrets.ts";
import { fine, note, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export function checkCertificates(tls: Settings["tls"], nowMs: number): Finding[] {
  if (tls === null) return [];
  return [...checkChain(tls, nowMs), checkFile("certificate key", "certificate_key", tls.keyFile)];
}

function checkChain({ certificateFile, keyFile }: NonNullable<Settings["tls"]>, nowMs: number): Finding[] {
  const check = "certificate";
  const remedy = "renew it; the server takes a new one from the same files by itself";
  let chain: readonly X509Certificate[];
  try {
    chain = (readFileSync(certificateFile, "utf8").match(PEM) ?? []).map((pem) => new X509Certificate(pem));
    if (chain.length === 0) throw new Error("there is no certificate in it");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return [
      wrong(check, "certificate_unreadable", `${certificateFile}: ${why}`, "correct tls.certificate in the settings"),
    ];
  }
  // Who is served checks the whole chain, so the first to end counts.
  const ends = Math.min(...chain.map(({ validTo }) => Date.parse(validTo)));
  const begins = Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom)));
  const days = Math.floor((ends - nowMs) / DAY_MS);
  const date = new Date(ends).toISOString().slice(0, 10);
  const dates =
    ends <= nowMs
      ? wrong(check, "certificate_expired", `${certificateFile} has expired on ${date}`, remedy)
      : begins > nowMs
        ? wrong(
            check,
            "certificate_not_yet_valid",
            `${certificateFile} is valid from ${new Date(begins).toISOString()} on`,
            "check this machine's clock, or wait",
          )
        : days < SOON_DAYS
          ? note(check, "certificate_ends_soon", `${certificateFile} ends on ${date}, in ${days} days`, remedy)
          : fine(check, "certificate", `${certificateFile} ends on ${date}, in ${days} days`);
  return [dates, ...checkPair(chain[0], certificateFile, keyFile)];
}

function checkPair(leaf: X509Certificate | undefined, certificateFile: string, keyFile: string): Finding[] {
  try {
    if (leaf?.checkPrivateKey(createPrivateKey(readFileSync(keyFile)))) return [];
  } catch {
    // An unreadable file is reported by the check of the file; an invalid key is reported here.
  }
  const says = `${keyFile} is not the key of ${certificateFile}`;
  return [wrong("certificate", "certificate_key_foreign", says, "put the two files of one renewal there")];
}
