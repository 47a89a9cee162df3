/** What this machine's credential used, over a gateway's data plane. */
import { isProblemCode, OWN_USAGE_PATH, Problem } from "@sallyport/protocol";
import type { OwnUsageAnswer } from "@sallyport/protocol";
import { gatewayUrl, resolveCredential } from "./credential/resolve.ts";
import type { CredentialOptions } from "./credential/resolve.ts";
import { readJson, sendToGateway } from "./transport.ts";

export interface OwnUsageOptions extends CredentialOptions {
  /** Epoch ms; default: the last 30 days. */
  readonly since?: number | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** Throws the gateway's `Problem`: `permission_denied` without `usage:read`. */
export async function readOwnUsage({ since, ...options }: OwnUsageOptions = {}): Promise<OwnUsageAnswer> {
  const { secret } = await resolveCredential(options);
  const query = since === undefined ? "" : `?since=${since}`;
  const answer = await sendToGateway(options.fetch ?? fetch, `${gatewayUrl(options)}${OWN_USAGE_PATH}${query}`, {
    headers: { authorization: `Bearer ${secret.reveal()}` },
  });
  const said = await readJson(answer);
  if (answer.ok) return said as unknown as OwnUsageAnswer;
  const { code } = said;
  if (typeof code === "string" && isProblemCode(code))
    throw new Problem(code, code === "permission_denied" ? "usage:read" : undefined);
  throw new Error(`the gateway answered ${answer.status} without a code it shares with us`);
}
