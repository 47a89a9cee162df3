/** Whether the identity provider of the settings can be used, as a log-in would find out. */
import type { Settings } from "../config/settings.ts";
import { OidcClient, reasonOf } from "../identity/oidc-client.ts";

/** Undefined where it can; else the reason. */
export async function checkProvider(oidc: NonNullable<Settings["oidc"]>, nowMs: number): Promise<string | undefined> {
  try {
    // Metadata is public: the client's secret is not needed for it.
    await new OidcClient({ ...oidc, clientSecret: null }).check(nowMs);
    return undefined;
  } catch (cause) {
    return reasonOf(cause);
  }
}
