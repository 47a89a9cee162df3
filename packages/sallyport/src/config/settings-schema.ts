/** The one schema of the static settings, in the shape of `sallyport.yaml`. Defaults are here and nowhere else. */
import { z } from "zod";
import { isEnvironmentName } from "@sallyport/protocol";
import { parseDurationMs } from "@sallyport/contract";
import { parseNetwork } from "../kernel/network-list.ts";
import { KEY_SOURCE_WANTED, parseKeySource, parseSecretSource, SECRET_SOURCE_WANTED } from "./key-source.ts";
import { isMailAddress, MAIL_ADDRESS_WANTED, parseMailServer, SMTP_WANTED } from "./mail-server.ts";
import { witnessList } from "./witness-settings.ts";
import { sinkList } from "./sink-settings.ts";
import { isLoopback, isNoticeUrl, isReceiver, parseListener, RECEIVER_WANTED } from "./listener-address.ts";

export { isLoopback, isReceiver, parseListener, RECEIVER_WANTED };

const GIB = 1024 ** 3;

const address = z.string().refine((text) => parseListener(text) !== undefined, "is not HOST:PORT");
const host = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, "is not a host name (without port)");
const origin = z.string().refine(isOrigin, "is not an origin such as https://chat.example.org or app://obsidian.md");
const cidr = z.string().refine(isNetwork, "is not a network such as 10.0.0.0/8");
const upstreamHost = z
  .string()
  .refine(
    (text) =>
      isNetwork(text) ||
      /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::[0-9]{1,5})?$/.test(text),
    "is neither a host, HOST:PORT nor a network such as 10.0.0.0/8",
  );
const path = z.string().min(1, "is empty");
const bytes = z.int().min(0);
const secretSource = z.string().refine((text) => parseSecretSource(text) !== undefined, SECRET_SOURCE_WANTED);
const group = z.string().regex(/^[^\s\p{C}](?:[^\p{C}]{0,98}[^\s\p{C}])?$/u, "is not the name of a group");
const mailAddress = z.string().refine(isMailAddress, MAIL_ADDRESS_WANTED);

export const settingsSchema = z.strictObject({
  data: path.optional(),
  keyEncryptionKey: z
    .string()
    .refine((text) => parseKeySource(text) !== undefined, KEY_SOURCE_WANTED)
    .optional(),
  listen: address.default("127.0.0.1:11435"),
  adminListen: address.default("127.0.0.1:11436"),
  tls: z.strictObject({ certificate: path, key: path }).optional(),
  trustedProxies: z.array(cidr).default([]),
  proxyHops: z.int().min(1).max(8).default(1),
  publicUrl: z.string().refine(isPublicUrl, "is not http(s)://host or http(s)://host:port, without a path").optional(),
  hosts: z.array(host).default([]),
  corsOrigins: z.array(origin).default([]),
  environments: z
    .array(z.string().refine(isEnvironmentName, "is not an environment name"))
    .min(1, "names no environment: leave it out to serve all")
    .optional(),
  upstreamHosts: z.array(upstreamHost).min(1, "names nothing: leave it out").max(256).optional(),
  policy: path.optional(),
  log: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  ledger: z
    .strictObject({
      retentionDays: z.int().min(1).max(3_650).default(400),
      retentionBytes: bytes.min(16 * 1024 * 1024, "is less than 16 MiB").default(10 * GIB),
      requestDays: z.int().min(1).max(3_650).default(400),
      reserveBytes: bytes.max(GIB).default(64 * 1024 * 1024),
      personalDays: z.int().min(1).max(3_650).default(90),
      securityPersonalDays: z.int().min(1).max(3_650).default(400),
    })
    .prefault({}),
  inFlightBytesMax: bytes.min(1024 * 1024, "is less than 1 MiB").default(256 * 1024 * 1024),
  tracing: z.boolean().default(false),
  otlp: z.string().refine(isReceiver, RECEIVER_WANTED).optional(),
  oidc: z
    .strictObject({
      issuer: z.string().refine(isNoticeUrl, "is not an https address, or http on loopback, without user or fragment"),
      clientId: z.string().min(1).max(256),
      clientSecret: z
        .string()
        .refine((text) => parseSecretSource(text) !== undefined, SECRET_SOURCE_WANTED)
        .optional(),
      groupsClaim: z.string().min(1).max(128).default("groups"),
      defaultGroups: z.array(group).max(16).default([]),
      scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/, "is no scope")).default(["profile"]),
    })
    .optional(),
  notices: z
    .strictObject({
      url: z
        .string()
        .refine(isNoticeUrl, "is not an https address, or http on loopback, without user or fragment")
        .optional(),
      secret: secretSource.optional(),
      smtp: z
        .string()
        .refine((text) => parseMailServer(text) !== undefined, SMTP_WANTED)
        .optional(),
      smtpPassword: secretSource.optional(),
      from: mailAddress.optional(),
      to: z.array(mailAddress).min(1, "names nobody").max(10, "are more than 10 addresses").optional(),
    })
    .superRefine((notices, context) => {
      const wrong = (path: keyof typeof notices, message: string): void =>
        context.addIssue({ code: "custom", path: [path], message });
      const { url, secret, smtp, smtpPassword, from, to } = notices;
      if (url === undefined && smtp === undefined) wrong("url", "is required, unless smtp is set");
      if (url !== undefined && secret === undefined) wrong("secret", "is missing: what is sent is signed with it");
      if (url === undefined && secret !== undefined) wrong("secret", "is for url, which is missing");
      const server = smtp === undefined ? undefined : parseMailServer(smtp);
      if (smtp !== undefined && from === undefined) wrong("from", "is missing: whom the mail is from");
      if (smtp !== undefined && to === undefined) wrong("to", "is missing: whom the mail goes to");
      if (smtp === undefined && (from !== undefined || to !== undefined)) wrong("smtp", "is missing");
      if (smtpPassword !== undefined && !server?.user) wrong("smtpPassword", "is for a user, and smtp names none");
      if (server?.user && smtpPassword === undefined) wrong("smtpPassword", "is missing: smtp names a user");
    })
    .optional(),
  identity: path.optional(),
  sinks: sinkList.default([]),
  witnesses: witnessList.default([]),
  drain: z
    .string()
    .refine((text) => (parseDurationMs(text) ?? Infinity) <= 600_000, "is not a duration of at most 10m")
    .default("25s"),
});

/**
 * An address to connect to or that identifies a party: https, or http on loopback, without credentials or fragments.
 */
export function isSafeUrl(text: string): boolean {
  return isNoticeUrl(text) && new URL(text).search === "";
}

export type SettingsFile = z.output<typeof settingsSchema>;

/** As a browser sends it: web pages, and the pages of extensions and desktop programs (`chrome-extension://…`, `app://…`, `tauri://…`). */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, origin: own } = new URL(text);
  if (protocol === "http:" || protocol === "https:") return own === text;
  return /^(?!javascript|data|blob|about|file)[a-z][a-z0-9+.-]{0,31}:\/\/[A-Za-z0-9._-]{1,253}(?::[0-9]{1,5})?$/.test(
    text,
  );
}

function isNetwork(text: string): boolean {
  return parseNetwork(text) !== undefined;
}

function isPublicUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}
