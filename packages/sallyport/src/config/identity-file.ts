/**
 * The file that the setting `identity` names: the identity providers of this gateway. Static and strict, with
 * references instead of secrets. Every mistake is reported with its place.
 */
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { isEnvironmentName } from "@sallyport/protocol";
import { parseDurationMs } from "@sallyport/contract";
import type { Provider } from "../identity/provider.ts";
import { readYaml } from "../kernel/yaml.ts";
import { parseSecretSource, SECRET_SOURCE_WANTED } from "./key-source.ts";
import type { SecretSource } from "./key-source.ts";
import { isSafeUrl } from "./settings-schema.ts";

export interface ProviderSettings extends Provider {
  /** What its transmitter brings when it pushes; null = it does not push. */
  readonly push: { readonly secret: SecretSource } | null;
  readonly poll: Polled | null;
  readonly directory: (Polled & { readonly subject: "id" | "externalId" | "userName" }) | null;
}

export interface Polled {
  readonly url: string;
  readonly secret: SecretSource;
  readonly everyMs: number;
}

/** Who may report leaked keys, in addition to administrators. */
export interface LeakSenderSettings {
  /** GitHub's secret scanning; null = not accepted. `url`: where its keys are read; null = pinned keys only. */
  readonly github: {
    readonly keys: readonly { readonly id: string; readonly pem: string }[];
    readonly url: string | null;
  } | null;
  readonly webhooks: readonly { readonly name: string; readonly secret: SecretSource }[];
}

export interface IdentitySettings {
  readonly providers: readonly ProviderSettings[];
  /** Null or absent = leaks are reported by administrators only. */
  readonly leaks?: LeakSenderSettings | null;
}

const URL_WANTED = "is not an https address, or http on loopback, without user, query or fragment";
const url = z.string().refine(isSafeUrl, URL_WANTED);
const secret = z.string().refine((text) => parseSecretSource(text) !== undefined, SECRET_SOURCE_WANTED);
const every = z
  .string()
  .refine((text) => isBetween(parseDurationMs(text), 1_000, 86_400_000), "is not a duration of 1s to 1d");
const id = z.string().min(1, "is empty").max(256);

const provider = z.strictObject({
  issuer: z.string().refine(isSafeUrl, URL_WANTED),
  keys: url,
  audience: id.optional(),
  clientId: id.optional(),
  subjects: z.enum(["own", "externalId", "oid"]).default("own"),
  agent: z
    .strictObject({
      keys: z
        .array(z.string().regex(/^[0-9A-Za-z]{12}$/, "is not the id of an admin key"))
        .min(1)
        .max(8),
      environments: z.union([
        z.literal("*"),
        z.array(z.string().refine(isEnvironmentName, "is not the name of an environment")).min(1).max(64),
      ]),
    })
    .optional(),
  emails: z.enum(["deny", "allow"]).default("deny"),
  groupsClaim: id.default("groups"),
  transmitter: z.strictObject({ issuer: z.string().refine(isSafeUrl, URL_WANTED), keys: url }).optional(),
  push: z.strictObject({ secret }).optional(),
  poll: z.strictObject({ url, secret, every: every.default("30s") }).optional(),
  directory: z
    .strictObject({
      url: url.refine((text) => !text.endsWith("/"), "ends with a slash"),
      secret,
      every: every.default("60s"),
      subject: z.enum(["id", "externalId", "userName"]).default("id"),
    })
    .optional(),
});

const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "is not a name (a-z, 0-9, -)");

const leaks = z.strictObject({
  github: z
    .strictObject({
      keys: z
        .array(
          z.strictObject({
            id: z.string().regex(/^[0-9a-f]{40,64}$/, "is not the id of a key of GitHub"),
            key: z.string().max(1_024).refine(isP256Key, "is not a P-256 public key in PEM"),
          }),
        )
        .min(1)
        .max(16)
        .optional(),
      url: url.optional(),
    })
    .refine(({ keys, url: address }) => keys !== undefined || address !== undefined, "needs keys, a url, or both")
    .optional(),
  webhooks: z
    .record(
      name.refine((text) => text !== "github", "is a reserved name"),
      z.strictObject({ secret }),
    )
    .refine((senders) => Object.keys(senders).length <= 16, "are more than 16 senders")
    .optional(),
});

const identitySchema = z.strictObject({ providers: z.record(name, provider).default({}), leaks: leaks.optional() });

function isP256Key(pem: string): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem);
    return asymmetricKeyType === "ec" && asymmetricKeyDetails?.namedCurve === "prime256v1";
  } catch {
    return false;
  }
}

/** Fills `mistakes`; undefined where there is one. */
export function readIdentityFile(path: string, mistakes: string[]): IdentitySettings | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    mistakes.push(`${path}: cannot be read (${cause instanceof Error ? cause.message : String(cause)})`);
    return undefined;
  }
  const yaml = readYaml(text);
  mistakes.push(...yaml.mistakes.map((mistake) => `${path}:${mistake}`));
  if (yaml.mistakes.length > 0) return undefined;
  const judged = identitySchema.safeParse(yaml.value);
  for (const { path: at, message } of judged.error?.issues ?? []) {
    const steps = at.filter((step) => typeof step !== "symbol");
    mistakes.push(`${path}:${yaml.place(steps)} ${steps.join(".")}: ${message}`);
  }
  if (!judged.success) return undefined;
  const providers = Object.entries(judged.data.providers).map(([name, entry]) => build(name, entry));
  const found = mistakesBetween(providers).map((mistake) => `${path}: ${mistake}`);
  mistakes.push(...found);
  return found.length > 0 ? undefined : { providers, leaks: buildLeaks(judged.data.leaks) };
}

function buildLeaks(entry: z.output<typeof leaks> | undefined): LeakSenderSettings | null {
  if (!entry) return null;
  const { github, webhooks = {} } = entry;
  return {
    github: github
      ? { keys: (github.keys ?? []).map(({ id: key, key: pem }) => ({ id: key, pem })), url: github.url ?? null }
      : null,
    webhooks: Object.entries(webhooks).map(([sender, { secret: text }]) => ({ name: sender, secret: sourceOf(text) })),
  };
}

function build(name: string, entry: z.output<typeof provider>): ProviderSettings {
  const { push, poll, directory } = entry;
  return {
    name,
    issuer: entry.issuer,
    keysUrl: entry.keys,
    transmitter: entry.transmitter ? { issuer: entry.transmitter.issuer, keysUrl: entry.transmitter.keys } : null,
    audience: entry.audience ?? null,
    clientId: entry.clientId ?? null,
    hasExternalIds: entry.subjects !== "own",
    ...(entry.subjects === "oid" ? { subjectClaim: "oid" as const } : {}),
    ...(entry.agent ? { agent: entry.agent } : {}),
    mayNameByEmail: entry.emails === "allow",
    groupsClaim: entry.groupsClaim,
    push: push ? { secret: sourceOf(push.secret) } : null,
    poll: poll ? polled(poll) : null,
    directory: directory ? { ...polled(directory), subject: directory.subject } : null,
  };
}

function mistakesBetween(providers: readonly ProviderSettings[]): string[] {
  return providers.flatMap(({ name, issuer, audience, push, poll, hasExternalIds, agent }, i) => [
    ...(agent && !hasExternalIds ? [`providers.${name}: an agent needs \`subjects: externalId\` or \`oid\``] : []),
    ...(agent?.keys ?? [])
      .filter((id) => providers.slice(0, i).some((one) => one.agent?.keys.includes(id)))
      .map((id) => `providers.${name}: key ${id} is the agent of another provider`),
    ...(providers.slice(0, i).some((one) => one.issuer === issuer)
      ? [`providers.${name}: its issuer comes twice`]
      : []),
    ...((push ?? poll) && audience === null ? [`providers.${name}: events need an audience`] : []),
    // The ids are those of one provisioning client: they cannot be the subjects of two issuers.
    ...(hasExternalIds && providers.slice(0, i).some((one) => one.hasExternalIds)
      ? [`providers.${name}: only one provider's subjects can be the external ids`]
      : []),
  ]);
}

function polled({
  url: address,
  secret: text,
  every: duration,
}: {
  url: string;
  secret: string;
  every: string;
}): Polled {
  return { url: address, secret: sourceOf(text), everyMs: parseDurationMs(duration) ?? 0 };
}

function sourceOf(text: string): SecretSource {
  const source = parseSecretSource(text);
  if (!source) throw new TypeError("the file was not judged");
  return source;
}

function isBetween(value: number | undefined, least: number, most: number): boolean {
  return value !== undefined && value >= least && value <= most;
}
