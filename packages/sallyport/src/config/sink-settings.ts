/** The items of the setting `sinks`: one shape a type. Strict, and with references where a secret belongs. */
import { resolve } from "node:path";
import { z } from "zod";
import { isEnvironmentName } from "@sallyport/protocol";
import type { EventClass } from "../audit/event.ts";
import { parseSecretSource, SECRET_SOURCE_WANTED } from "./key-source.ts";
import type { SecretSource } from "./key-source.ts";
import { isLoopback, isNoticeUrl, parseListener } from "./listener-address.ts";

const CLASSES = ["administration", "security", "management", "inference", "refusal", "aggregate", "ledger"] as const;
const SINKS_MAX = 16;
const URL_WANTED = "is not an https address, or http on loopback, without user or fragment";

const common = {
  /** Of its cursor, its metrics and its dead letters. */
  name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "is not a name (a-z, 0-9, -)"),
  format: z.enum(["ocsf", "jsonl"]).default("ocsf"),
  environments: z
    .array(z.string().refine((name) => name === "system" || isEnvironmentName(name), "is not an environment name"))
    .min(1)
    .optional(),
  classes: z.array(z.enum(CLASSES)).min(1).optional(),
};
const url = z.string().refine(isNoticeUrl, URL_WANTED);
const secret = z.string().refine((text) => parseSecretSource(text) !== undefined, SECRET_SOURCE_WANTED);
const path = z.string().min(1, "is empty");

const sink = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("file"),
    ...common,
    path,
    rotateBytes: z
      .int()
      .min(65_536)
      .default(64 * 1024 * 1024),
    keep: z.int().min(0).max(1_000).default(10),
  }),
  z
    .strictObject({
      type: z.literal("syslog"),
      ...common,
      address: z.string().refine((text) => parseListener(text) !== undefined, "is not HOST:PORT"),
      tls: z.boolean().default(true),
      ca: path.optional(),
    })
    .refine(({ tls, address }) => tls || isLoopback(parseListener(address) ?? { host: "", port: 0 }), {
      path: ["tls"],
      message: "is needed beyond loopback",
    }),
  z.strictObject({ type: z.literal("otlp"), ...common, url, authorization: secret.optional() }),
  z.strictObject({ type: z.literal("webhook"), ...common, url, secret }),
  z.strictObject({
    type: z.literal("s3"),
    ...common,
    endpoint: url,
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "is not the name of a bucket"),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/, "is not a region")
      .default("us-east-1"),
    prefix: z
      .string()
      .regex(/^(?:[A-Za-z0-9._-]+\/)*$/, "is not a prefix such as audit/")
      .default("sallyport/"),
    accessKeyId: z.string().regex(/^[\x21-\x7e]{1,128}$/, "is not an access key id"),
    secretAccessKey: secret,
  }),
]);

export const sinkList = z
  .array(sink)
  .max(SINKS_MAX)
  .refine((sinks) => new Set(sinks.map(({ name }) => name)).size === sinks.length, "two sinks have one name");

interface CommonSettings {
  readonly name: string;
  readonly format: "ocsf" | "jsonl";
  /** Null = of all. */
  readonly environments: readonly string[] | null;
  readonly classes: readonly EventClass[] | null;
}

export type SinkSettings = CommonSettings &
  (
    | { readonly type: "file"; readonly path: string; readonly rotateBytes: number; readonly keep: number }
    | {
        readonly type: "syslog";
        readonly host: string;
        readonly port: number;
        readonly tls: { readonly caFile: string | null } | null;
      }
    | { readonly type: "otlp"; readonly url: string; readonly authorization: SecretSource | null }
    | { readonly type: "webhook"; readonly url: string; readonly secret: SecretSource }
    | {
        readonly type: "s3";
        readonly endpoint: string;
        readonly bucket: string;
        readonly region: string;
        readonly prefix: string;
        readonly accessKeyId: string;
        readonly secretAccessKey: SecretSource;
      }
  );

/** `file` has been judged by the schema. */
export function sinkOf(file: z.output<typeof sink>): SinkSettings {
  const { name, format, environments = null, classes = null } = file;
  const all = { name, format, environments, classes };
  switch (file.type) {
    case "file":
      return { ...all, type: "file", path: resolve(file.path), rotateBytes: file.rotateBytes, keep: file.keep };
    case "syslog": {
      const { host, port } = judged(parseListener(file.address));
      const tls = file.tls ? { caFile: file.ca === undefined ? null : resolve(file.ca) } : null;
      return { ...all, type: "syslog", host, port, tls };
    }
    case "otlp": {
      const authorization = file.authorization === undefined ? null : judged(parseSecretSource(file.authorization));
      return { ...all, type: "otlp", url: `${file.url.replace(/\/{1,8}$/, "")}/v1/logs`, authorization };
    }
    case "webhook":
      return { ...all, type: "webhook", url: file.url, secret: judged(parseSecretSource(file.secret)) };
    case "s3": {
      const { endpoint, bucket, region, prefix, accessKeyId } = file;
      const secretAccessKey = judged(parseSecretSource(file.secretAccessKey));
      return { ...all, type: "s3", endpoint, bucket, region, prefix, accessKeyId, secretAccessKey };
    }
  }
}

function judged<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("the settings were not judged");
  return value;
}
