/**
 * A blob's bytes on their way to the upstream, hashed as they pass. The last piece is held back until the digest of them
 * all is the one in the path, which is also the signed one where the request was signed: an altered upload never becomes
 * whole at the upstream.
 */
import { createHash } from "node:crypto";
import { pipeline, Transform } from "node:stream";
import type { Readable } from "node:stream";
import { refuse, signatureFailure } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { refuseSignature } from "../../factors/signature-refusal.ts";
import type { Exchange } from "../exchange.ts";

/** An upload that stands still for so long is ended. */
const IDLE_MS = 60_000;

/** `whenAltered` is called once, before the stream is destroyed. */
export function blobBody({ request, parameter, isSigned }: Exchange, whenAltered: (why: Refusal) => void): Readable {
  const hash = createHash("sha256");
  let held: Buffer | null = null;
  const idle = setTimeout(() => request.destroy(), IDLE_MS);
  const verified = new Transform({
    transform(piece: Buffer, _encoding, done) {
      idle.refresh();
      hash.update(piece);
      const before = held;
      held = piece;
      done(null, before);
    },
    flush(done) {
      if (`sha256:${hash.digest("hex")}` === parameter) return done(null, held);
      whenAltered(isSigned ? refuseSignature(signatureFailure("digest_mismatch")) : refuse("digest_mismatch"));
      done(new Error("not the bytes the path names"));
    },
  });
  // Its reader reports how it ended; an error here is the caller's or ours, never news.
  pipeline(request, verified, () => clearTimeout(idle));
  return verified;
}
