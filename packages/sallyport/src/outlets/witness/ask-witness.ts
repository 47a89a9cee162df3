/** A log's side of C2SP tlog-witness: its newest checkpoint, the proof that it grew, and what the witness says to it. */
import { checkNote, formatAddCheckpoint, parseCheckpoint, parseSignedNote } from "@sallyport/ledger";
import { Problem } from "@sallyport/protocol";
import type { LedgerCrypto, NoteVerifier } from "@sallyport/ledger";
import type { SendBounded } from "../../kernel/bounded-request.ts";

export interface WitnessPlace {
  readonly url: string;
  readonly witness: NoteVerifier;
}

/** The newest checkpoint, and the proof that it goes on from one of so many records. */
export type ProveGrowth = (size: number) => Promise<{ readonly checkpoint: string; readonly path: readonly string[] }>;

/** The witness reports that the log is not the one it knows: it was rewritten or rolled back. */
export class LogRefused extends Problem {}

export interface AskPorts {
  readonly send: SendBounded;
  readonly verify: LedgerCrypto["verify"];
}

/** The witness may know of another size than we think, and the log grows meanwhile. */
const ATTEMPTS = 3;

function sizeOf(checkpoint: string): number {
  return parseCheckpoint(checkpoint)?.size ?? 0;
}

const REASONS: Readonly<Record<number, string>> = {
  403: ": it does not know the log's key: give it the one 'sallyport audit keys' prints",
  404: ": it does not know the log: give it the key 'sallyport audit keys' prints",
  422: ": this log does not extend the one it saw before. It was rewritten or rolled back",
};

/**
 * The checkpoint with the cosignature. `size` is what the witness is believed to know. Throws `LogRefused`, or a
 * `conflict` for what is no answer of this witness; what `send` throws is let through.
 */
export async function askWitness(
  { send, verify }: AskPorts,
  { url, witness }: WitnessPlace,
  prove: ProveGrowth,
  size = 0,
): Promise<string> {
  const address = new URL("add-checkpoint", url.endsWith("/") ? url : `${url}/`).href;
  let known = size;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { checkpoint, path } = await prove(known);
    const { status, text } = await send({
      method: "POST",
      url: address,
      body: formatAddCheckpoint(known, path, checkpoint),
    });
    if (status === 409) {
      if (!/^(?:0|[1-9]\d{0,15})\n$/.test(text)) break;
      known = Number(text);
      // Another client may have had a newer checkpoint cosigned meanwhile: compare with the present length of the log.
      const own = sizeOf(checkpoint) >= known ? known : sizeOf((await prove(0)).checkpoint);
      if (known > own)
        throw new LogRefused(
          "conflict",
          `the witness knows ${known} records of this log, and it has ${own}: it was rolled back`,
        );
      continue;
    }
    const said = `the witness answers ${status}${REASONS[status] ?? ""}`;
    if (status === 422) throw new LogRefused("conflict", said);
    if (status !== 200) throw new Problem("conflict", said);
    const cosigned = `${checkpoint}${text}`;
    const note = parseSignedNote(cosigned);
    if (!note || checkNote(verify, note, witness).verdict !== "genuine")
      throw new Problem("conflict", "what the witness answered is not its cosignature: is it another witness?");
    return cosigned;
  }
  throw new Problem("conflict", "the witness and the log could not agree on a size: try again");
}
