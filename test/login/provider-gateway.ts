/** A gateway whose people log in at a provider on loopback: the two know each other's address before they listen. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway, StartOptions } from "../gateway/started-gateway.ts";
import type { Settings } from "../program-under-test.ts";
import { freePort } from "../upstream/free-port.ts";
import { CLIENT_SECRET } from "./identity-provider.ts";
import type { IdentityProvider } from "./identity-provider.ts";

export interface ProviderGateway {
  readonly gateway: StartedGateway;
  /** For what a test writes; goes away with the gateway. */
  readonly root: string;
  stop(): Promise<void>;
}

/** `more` is asked once the provider listens, because its URL is known only then. */
export async function startWithProvider(
  provider: IdentityProvider,
  options: StartOptions = {},
  more: () => Partial<Settings> = () => ({}),
  moreOidc: Partial<NonNullable<Settings["oidc"]>> = {},
): Promise<ProviderGateway> {
  const root = mkdtempSync(join(tmpdir(), "sallyport-login-"));
  const secret = join(root, "secret");
  writeFileSync(secret, CLIENT_SECRET);
  const port = await freePort();
  await provider.listen(`http://127.0.0.1:${port}/oidc/callback`);
  const oidc = {
    issuer: provider.url,
    clientId: "gateway",
    clientSecret: { kind: "file", path: secret } as const,
    groupsClaim: "groups",
    defaultGroups: [],
    scopes: ["profile"],
    ...moreOidc,
  };
  const settings = { ...options.settings, listen: { host: "127.0.0.1", port }, oidc, ...more() };
  const gateway = await startGateway({ ...options, settings });
  const stop = async (): Promise<void> => {
    await gateway.stop();
    await provider.close();
    rmSync(root, { recursive: true, force: true });
  };
  return { gateway, root, stop };
}
