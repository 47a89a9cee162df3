/** The first environment: what a policy file's entry stands for when it says nothing, in front of Ollama's usual address. */
import type { Environment } from "./policy.ts";
import { KEY_AGE_MAX_MS } from "./policy.ts";

export const environmentDefaults = {
  keyMaxAgeMs: KEY_AGE_MAX_MS,
  cloud: "deny",
  registries: ["registry.ollama.ai"],
  keepAliveMaxSeconds: 300,
  limits: {},
  guard: {},
} as const satisfies Partial<Environment>;

/** Where Ollama listens unless it is told otherwise. */
export const DEFAULT_UPSTREAM_URL = "http://127.0.0.1:11434";

export const defaultEnvironment: Environment = {
  ...environmentDefaults,
  name: "dev",
  upstreams: [{ id: "u1", url: DEFAULT_UPSTREAM_URL }],
};
