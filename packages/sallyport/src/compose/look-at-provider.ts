/** Looks at the identity provider for log-ins from the start on: a wrong issuer is in the log before the first person fails. */
import type { Settings } from "../config/settings.ts";
import { OidcClient, reasonOf } from "../identity/oidc-client.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";

const FIRST_RETRY_MS = 5_000;
const LATEST_RETRY_MS = 10 * 60_000;

/** Tries until the provider was reached once. Returns what ends it. */
export function watchProvider(client: OidcClient, issuer: string, clock: Clock, log: Log): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const look = async (retryMs: number): Promise<void> => {
    try {
      await client.check(clock.now());
      log.info({ issuer }, "the identity provider for log-ins was reached");
    } catch (cause) {
      if (isClosed) return;
      const what = { issuer, cause: reasonOf(cause), retry_seconds: retryMs / 1_000 };
      log.warn(
        what,
        "the identity provider cannot be used, so users cannot log in; check `oidc.issuer` in the settings",
      );
      timer = setTimeout(() => void look(Math.min(retryMs * 2, LATEST_RETRY_MS)), retryMs).unref();
    }
  };
  void look(FIRST_RETRY_MS);
  return () => {
    isClosed = true;
    clearTimeout(timer);
  };
}

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
