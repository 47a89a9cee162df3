/**
 * The listeners' certificate and key, read from their files again when these change. What is read is tried out before it
 * is used: a renewal that has written one of the two files only, or nonsense, leaves the certificate in use.
 */
import { readFileSync, statSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { SecureContextOptions } from "node:tls";
import { Problem } from "@sallyport/protocol";
import { causeOf } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";

/** How often the files are looked at. */
export const CERTIFICATE_POLL_MS = 10_000;

export interface CertificatePlace {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export class CertificateFiles {
  readonly #files: CertificatePlace;
  #seen = "";

  constructor(files: CertificatePlace) {
    this.#files = files;
  }

  /** Throws `input_invalid` where the files cannot be read or do not belong together. */
  read(): SecureContextOptions {
    const { certificateFile, keyFile } = this.#files;
    // Before reading: what is written from now on is seen at the next look.
    this.#seen = this.#signature();
    const options: SecureContextOptions = {
      cert: readPem("tls.certificate", certificateFile),
      key: readPem("tls.key", keyFile),
      minVersion: "TLSv1.2",
    };
    try {
      createSecureContext(options);
    } catch (cause) {
      throw new Problem("input_invalid", "the certificate cannot be used", [
        `tls: ${certificateFile} and ${keyFile}: ${textOf(cause)}`,
      ]);
    }
    return options;
  }

  /** Null where nothing has changed since the last look; throws as `read()`, once a change. */
  readIfChanged(): SecureContextOptions | null {
    return this.#signature() === this.#seen ? null : this.read();
  }

  /** Links are followed, so that one put in the place of another is a change. */
  #signature(): string {
    return [this.#files.certificateFile, this.#files.keyFile]
      .map((path) => {
        const found = statSync(path, { throwIfNoEntry: false, bigint: true });
        return found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : "none";
      })
      .join("\n");
  }
}

function readPem(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Problem("input_invalid", "the certificate cannot be read", [`${setting}: ${textOf(cause)}`]);
  }
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Renewed certificates are used for new connections automatically; an unusable one is logged once. */
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
