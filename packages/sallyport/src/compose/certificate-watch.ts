/** Looks whether the certificate's files have changed. */
import type { SecureContextOptions } from "node:tls";
import { Problem } from "@sallyport/protocol";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { CERTIFICATE_POLL_MS } from "./certificate-files.ts";
import type { CertificateFiles } from "./certificate-files.ts";

/** New connections get a renewed certificate without anybody doing anything; one that cannot be used is told once. */
export function watchCertificates(
  certificates: CertificateFiles,
  use: (tls: SecureContextOptions) => void,
  log: Log,
): NodeJS.Timeout {
  const look = (): void => {
    try {
      const next = certificates.readIfChanged();
      if (next) use(next);
    } catch (cause) {
      const mistakes = cause instanceof Problem ? cause.mistakes : [];
      log.error({ cause: causeOf(cause), mistakes }, "the new certificate cannot be used; the old one stays");
    }
  };
  return setInterval(look, CERTIFICATE_POLL_MS).unref();
}
