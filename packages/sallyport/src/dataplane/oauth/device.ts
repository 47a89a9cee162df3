/** A program asks for a person's log-in (RFC 8628), polls for it, and renews what it got (RFC 6749 section 6). */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { DeviceGrants } from "../../identity/device-grants.ts";
import type { Secret } from "../../kernel/secret.ts";
import { Secret as SecretText } from "../../kernel/secret.ts";
import type { Exchange } from "../exchange.ts";
import { baseOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";
import type { Form } from "./form.ts";

export const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";
/** The one public client: a program on a user's machine. It holds no secret, so it needs no separate name. */
export const CLI_CLIENT = "sallyport-cli";

export function beginDevice(
  exchange: Exchange,
  form: Form,
  grants: DeviceGrants,
  address: PublicAddress,
): object | Refusal {
  const environment = exchange.environmentPath;
  if (form.get("client_id") !== CLI_CLIENT) return refuse("client_unknown", `client_id is ${CLI_CLIENT}`);
  if (environment === null) return refuse("form_malformed", "ask under /e/<environment>/");
  const begun = grants.begin(environment, exchange.address);
  const page = `${baseOf(address)}/e/${environment}/login`;
  return {
    device_code: begun.deviceCode,
    user_code: begun.userCode,
    verification_uri: page,
    verification_uri_complete: `${page}?user_code=${begun.userCode}`,
    expires_in: Math.floor((begun.expiresAt - begun.askedAt) / 1_000),
    interval: begun.intervalSeconds,
  };
}

/** The session's text that a program may now use as the key it is; undefined for another grant. */
export function sessionOf(exchange: Exchange, form: Form, grants: DeviceGrants): Secret | Refusal | undefined {
  const grant = form.get("grant_type");
  if (grant !== DEVICE_GRANT && grant !== "refresh_token") return undefined;
  if (form.get("client_id") !== CLI_CLIENT) return refuse("client_unknown", `client_id is ${CLI_CLIENT}`);
  if (grant === "refresh_token") return new SecretText(form.get("refresh_token") ?? "");
  const polled = grants.poll(exchange.environmentPath ?? "", form.get("device_code") ?? "");
  switch (polled.state) {
    case "approved":
      return polled.text;
    case "pending":
      return refuse("login_pending");
    case "slow_down":
      return refuse("login_slow_down");
    case "denied":
      return refuse("login_denied");
    case "expired":
      return refuse("login_expired");
  }
}

/** The rest of what is asked is asked as of any key. */
export function asKey(form: Form): Form {
  const kept = [...form].filter(([name]) => ["scope", "models", "expires_in"].includes(name));
  return new Map([["grant_type", "client_credentials"], ...kept]);
}
