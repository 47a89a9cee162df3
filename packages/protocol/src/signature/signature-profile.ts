/**
 * What a signature must cover and contain. RFC 9421 leaves that to the application (section 1.4), and a signature over
 * nothing verifies for every message: so the verifier accepts no request without a profile, and the profile is a value.
 */
import type { SignatureInput, SignatureParameter } from "./signature-fields.ts";
import { signatureFailure } from "./signature-failure.ts";
import type { SignatureFailure } from "./signature-failure.ts";

/** The field that names the environment a request is signed for. */
export const ENVIRONMENT_FIELD = "sallyport-environment";
export const SIGNATURE_TAG = "sallyport";

export interface SignatureProfile {
  /** Covered in every request. */
  readonly components: readonly string[];
  /** Also covered if there is a body. */
  readonly bodyComponents: readonly string[];
  readonly parameters: readonly SignatureParameter[];
  /** What `tag` must be; null = anything, or none. */
  readonly tag: string | null;
  /** Most seconds from `created` to `expires`. */
  readonly lifetimeSeconds: number;
  /** Most seconds a client's clock may be ahead. */
  readonly skewSeconds: number;
  readonly nonce: RegExp;
}

/** Sallyport's own. 22 characters of base64url hold 128 bits. */
export const sallyportProfile: SignatureProfile = {
  components: ["@method", "@target-uri", "@authority", ENVIRONMENT_FIELD],
  bodyComponents: ["content-digest", "content-type"],
  parameters: ["created", "expires", "nonce", "keyid", "alg", "tag"],
  tag: SIGNATURE_TAG,
  lifetimeSeconds: 60,
  skewSeconds: 5,
  nonce: /^[A-Za-z0-9_-]{22,86}$/,
};

/** Whether the signature would be enough if it is genuine. `now` is epoch ms. */
export function checkProfile(
  input: SignatureInput,
  profile: SignatureProfile,
  hasBody: boolean,
  now: number,
): SignatureFailure | undefined {
  const { components, parameters } = input;
  for (const name of profile.components)
    if (!components.includes(name)) return signatureFailure("signature_component_missing", name);
  if (hasBody)
    for (const name of profile.bodyComponents)
      if (!components.includes(name)) return signatureFailure("signature_component_missing", name);
  for (const name of profile.parameters)
    if (parameters[name] === null) return signatureFailure("signature_parameter_missing", name);
  if (profile.tag !== null && parameters.tag !== profile.tag) return signatureFailure("signature_tag");
  if (parameters.nonce !== null && !profile.nonce.test(parameters.nonce)) return signatureFailure("signature_nonce");
  return checkTimes(parameters.created, parameters.expires, profile, now);
}

function checkTimes(
  created: number | null,
  expires: number | null,
  { lifetimeSeconds, skewSeconds }: SignatureProfile,
  now: number,
): SignatureFailure | undefined {
  if (created !== null && created * 1000 > now + skewSeconds * 1000) return signatureFailure("signature_future");
  if (expires === null) return undefined;
  if (created !== null && (expires <= created || expires - created > lifetimeSeconds))
    return signatureFailure("signature_lifetime");
  return expires * 1000 <= now ? signatureFailure("signature_expired") : undefined;
}
