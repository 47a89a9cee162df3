/** The first environment: what a policy file's entry stands for when it says nothing, in front of Ollama's usual address. */
import type { AlertAction } from "@sallyport/protocol";
import type { Environment } from "./policy.ts";
import { KEY_AGE_MAX_MS } from "./policy.ts";

const DAY_MS = 86_400_000;

export const environmentDefaults = {
  keyMaxAgeMs: KEY_AGE_MAX_MS,
  keyLife: {
    overlapMs: 7 * DAY_MS,
    overlapMaxMs: 14 * DAY_MS,
    quietMs: DAY_MS,
    rotateWithinMs: 7 * DAY_MS,
    noticesMs: [14 * DAY_MS, 7 * DAY_MS, 3 * DAY_MS, DAY_MS],
    brownoutMs: 0,
    neverUsedMs: 14 * DAY_MS,
    unusedNoticeMs: 30 * DAY_MS,
    idleMs: 45 * DAY_MS,
    destroyMs: 90 * DAY_MS,
    orphanMs: 7 * DAY_MS,
  },
  keyFate: { onLeave: "revoke", onRoleLost: "revoke", onSignOut: "keep", onRisk: "suspend" },
  queue: { waitMs: 300_000, lengthMax: 256 },
  readerStallMs: 60_000,
  cloud: "deny",
  registries: ["registry.ollama.ai"],
  keepAliveMaxSeconds: 300,
  limits: {},
  guard: {},
  networks: null,
  require: [],
  requireFor: [],
  pathSecrets: "deny",
  tokens: { ttlMs: 15 * 60_000, isOnly: false },
  // A canary key has no legitimate use; everything else is reported first.
  anomalies: { budget: 1, actions: { default: "notify", decoy_used: "suspend" }, forMs: 3_600_000 },
  inferenceRecording: "fail_closed",
} as const satisfies Partial<Environment>;

/** What is done about a leaked key where policy says nothing of it. The default of other alerts is no answer to a fact that others hold the secret. */
export const LEAKED_DEFAULT: AlertAction = "suspend";

/** Where Ollama listens by default. */
export const DEFAULT_UPSTREAM_URL = "http://127.0.0.1:11434";

export const defaultEnvironment: Environment = {
  ...environmentDefaults,
  name: "dev",
  upstreams: [{ id: "u1", url: DEFAULT_UPSTREAM_URL }],
};
