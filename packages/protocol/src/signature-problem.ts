/** What is told of signed requests and signed bytes: a part of the table in `problem.ts`. */
export const signatureProblems = {
  signature_missing: {
    status: 401,
    title: "this request has to be signed",
    remedy: "sign it as the guide on signing says, or use a client that does",
  },
  signature_invalid: {
    status: 401,
    title: "the request's signature is not accepted",
    remedy: "look up the reason in the guide on signing, and sign anew",
  },
  digest_mismatch: {
    status: 400,
    title: "the bytes are not those that the path names",
    remedy: "send the file again: its SHA-256 has to be the one in the path",
  },
  signature_replayed: {
    status: 401,
    title: "this signed request came before",
    remedy: "sign every request anew, with a nonce of its own",
  },
} as const;
