/** What a caller learns about a rejected signature. */
import { refuse, sallyportProfile, signatureReasons } from "@sallyport/protocol";
import type { Refusal, SignatureFailure } from "@sallyport/protocol";

export function refuseSignature({ reason, name }: SignatureFailure): Refusal {
  switch (reason) {
    case "signature_missing":
      return refuse("signature_missing");
    case "signature_replayed":
      return refuse("signature_replayed");
    case "replay_key_full":
      return refuse("rate_limited", signatureReasons[reason]).with({ retryAfterSeconds: 1 });
    case "replay_store_full":
      return refuse("overloaded", signatureReasons[reason]);
    default: {
      const refusal = refuse("signature_invalid", `${name === undefined ? reason : `${reason} (${name})`}`);
      // The one that ends by itself: in so many seconds what is signed then is young enough.
      return reason === "signature_before_start"
        ? refusal.with({ retryAfterSeconds: sallyportProfile.skewSeconds + 1 })
        : refusal;
    }
  }
}
