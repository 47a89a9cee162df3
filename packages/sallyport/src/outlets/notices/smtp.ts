/**
 * Mail over SMTP, by nodemailer. `smtps:` uses TLS from the first byte; `smtp:` requires STARTTLS, except on this
 * machine. The server's certificate is always verified.
 */
import { createTransport } from "nodemailer";
import type { Secret } from "../../kernel/secret.ts";
import type { MailSender } from "./mail.ts";

export interface SmtpPlace {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly isTls: boolean;
  /** The connection stays on this machine: STARTTLS is not required. */
  readonly isLoopback: boolean;
  readonly user: string | null;
}

export interface SmtpOrder {
  readonly place: SmtpPlace;
  /** Null where the server asks for none. */
  readonly password: Secret | null;
  /** Addresses alone, without names. */
  readonly from: string;
  readonly to: readonly string[];
  /** Authorities in the place of the machine's own. */
  readonly ca?: string;
}

const TIMEOUT_MS = 10_000;

export function makeSmtpSender({ place, password, from, to, ca }: SmtpOrder): MailSender {
  const { host, port, isTls, isLoopback, user } = place;
  const transport = createTransport({
    host,
    port,
    secure: isTls,
    requireTLS: !isTls && !isLoopback,
    ignoreTLS: !isTls && isLoopback,
    tls: { rejectUnauthorized: true, minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) },
    ...(user !== null && password ? { auth: { user, pass: password.reveal() } } : {}),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    dnsTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = from.slice(from.lastIndexOf("@") + 1);
  return {
    async send({ id, subject, text }) {
      try {
        const recipients = [...to];
        await transport.sendMail({
          from,
          to: recipients,
          envelope: { from, to: recipients },
          subject,
          text,
          messageId: `<${id}@${domain}>`,
          // Out-of-office replies do not come back.
          headers: { "Auto-Submitted": "auto-generated" },
        });
      } catch (cause) {
        throw new Error(reasonOf(cause));
      }
    },
    close: () => transport.close(),
  };
}

/** What a server answers may repeat what it was told, the password among it: of an answer only the codes are said. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "the mail was not sent";
  const {
    code = "",
    response,
    responseCode,
  } = cause as Error & {
    code?: string;
    response?: string;
    responseCode?: number;
  };
  if (response !== undefined || responseCode !== undefined) return `${code} ${responseCode ?? ""}`.trim();
  return cause.message.slice(0, 200);
}
