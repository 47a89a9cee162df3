/** Whether people can log in: the identity provider of the settings, reached as a log-in would reach it. */
import type { Settings } from "../../config/settings.ts";
import { fine, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";

export async function checkIdentityProvider(oidc: Settings["oidc"], nowMs: number): Promise<Finding[]> {
  if (oidc === null) return [];
  const check = "identity provider";
  const { checkProvider } = await import("../../compose/look-at-provider.ts");
  const reason = await checkProvider(oidc, nowMs);
  if (reason === undefined) return [fine(check, "issuer", `${oidc.issuer} was reached, and its metadata fits`)];
  const metadata = `${oidc.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const remedy = `open ${metadata} from this machine: it must answer, and its "issuer" must equal oidc.issuer of the settings`;
  return [wrong(check, "issuer_unreachable", `users cannot log in: ${reason}`, remedy)];
}
