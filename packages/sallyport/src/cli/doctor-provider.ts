/** Whether people can log in: the identity provider of the settings, reached as a log-in would reach it. */
import type { Settings } from "../config/settings.ts";
import { fine, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";

export async function checkIdentityProvider(oidc: Settings["oidc"], nowMs: number): Promise<Finding[]> {
  if (oidc === null) return [];
  const { OidcClient, reasonOf } = await import("../identity/oidc-client.ts");
  const check = "identity provider";
  try {
    // Metadata is public: the client's secret is not needed for it.
    await new OidcClient({ ...oidc, clientSecret: null }).check(nowMs);
    return [fine(check, "issuer", `${oidc.issuer} was reached, and its metadata fits`)];
  } catch (cause) {
    return [
      wrong(
        check,
        "issuer_unreachable",
        `nobody can log in: ${reasonOf(cause)}`,
        `open ${oidc.issuer}/.well-known/openid-configuration from this machine: it must answer, and its "issuer" must equal oidc.issuer of the settings`,
      ),
    ];
  }
}
