/** The errors of signed requests and signed bytes: a part of the table in `problem.ts`. */
export const signatureProblems = {
  signature_missing: {
    status: 401,
    title: "this request must be signed",
    remedy: "sign it as the guide on signed requests describes, or use a client that signs",
  },
  signature_invalid: {
    status: 401,
    title: "invalid request signature",
    remedy: "look up the reason in the guide on signed requests, and sign again",
  },
  digest_mismatch: {
    status: 400,
    title: "the content does not match the digest in the path",
    remedy: "send the file again: its SHA-256 must be the one in the path",
  },
  signature_replayed: {
    status: 401,
    title: "this signed request has been sent before",
    remedy: "sign every request again, with a new nonce",
  },
} as const;
