/** What a browser finds of a proof that the gateway gave it. */
import { parseRecordProof, verifyRecordProof } from "@sallyport/ledger";
import { browserCrypto } from "./browser-crypto.ts";

export type BrowserVerdict =
  | {
      readonly ok: true;
      /** Number of the record that the proof is about. */
      readonly seq: number;
      readonly environment: string;
      readonly type: string;
      /** Name of the log whose checkpoint covers it. */
      readonly log: string;
      /** Its place in the log, from 0, and how many records the checkpoint covers. */
      readonly index: number;
      readonly size: number;
      /** The key the checkpoint is signed by, as `sallyport audit keys` prints it. */
      readonly key: string;
    }
  | { readonly ok: false; readonly reason: string };

export function judgeProof(text: string): BrowserVerdict {
  const verdict = verifyRecordProof(browserCrypto, text);
  if (!verdict.ok) return verdict;
  const { index, key } = parseRecordProof(text)!;
  const { seq, environment, type } = verdict.record;
  return { ok: true, seq, environment, type, log: verdict.origin, index, size: verdict.size, key };
}
