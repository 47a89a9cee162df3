/** One record of the audit log, and its proof, which this browser checks by itself. */
import { useState } from "react";
import type { ReactNode } from "react";
import { placeText } from "../address.ts";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { Facts } from "../parts/facts.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { saveFile } from "../parts/save-file.ts";
import { Time } from "../parts/time.tsx";
import { useAct } from "../parts/use-act.ts";
import { useAnswer } from "../parts/use-answer.ts";
import { checkProof } from "../proof/check-proof.ts";
import type { BrowserVerdict } from "../proof/proof-verdict.ts";
import { may } from "../session.ts";
import { count } from "../words.ts";
import type { PageProps } from "../page-props.ts";

export function RecordPage({ place, present }: PageProps): ReactNode {
  const seq = Number(place.path.slice("audit/".length));
  const { value, problem } = useAnswer(`record ${seq}`, (signal) =>
    call("audit.search", { query: { after: seq - 1, before: seq + 1, limit: 1 } }, signal),
  );
  const record = value?.records[0];
  return (
    <>
      <p>
        <a href={placeText("audit")}>All records</a>
      </p>
      <ProblemNote problem={problem} />
      {value && !record && (
        <p>No record with this number is kept, or it belongs to an environment that you do not administer.</p>
      )}
      {record && (
        <>
          <Facts
            of={[
              ["No.", record.seq],
              ["When", <Time key="at" at={record.at} />],
              ["Environment", record.environment],
              ["Type", <code key="type">{record.type}</code>],
              ["By", record.actor],
            ]}
          />
          <DataTable
            caption="What is recorded"
            rows={Object.entries(record.fields)}
            keyOf={([name]) => name}
            empty={<p>The type says everything.</p>}
            columns={[
              { name: "Name", show: ([name]) => <code>{name}</code> },
              { name: "Value", show: ([, field]) => <span className="mono fields">{fieldText(field)}</span> },
            ]}
          />
          {may(present, "audit.proof") && <Proof key={seq} seq={seq} />}
        </>
      )}
    </>
  );
}

function fieldText(field: unknown): string {
  return typeof field === "string" ? field : JSON.stringify(field);
}

function Proof({ seq }: { readonly seq: number }): ReactNode {
  const [found, setFound] = useState<{ readonly proof: string; readonly verdict: BrowserVerdict }>();
  const { isBusy, problem, run } = useAct(() => undefined);
  const prove = async (): Promise<void> => {
    const { proof } = await call("audit.proof", { params: { seq } });
    const verdict = await checkProof(proof);
    // A genuine proof of another record proves nothing about this one.
    const isOther = verdict.ok && verdict.seq !== seq;
    setFound({ proof, verdict: isOther ? { ok: false, reason: `it is a proof of record ${verdict.seq}` } : verdict });
  };
  return (
    <section aria-label="Proof">
      <h2>Proof</h2>
      <p>
        The gateway proves that this record is in the signed log of its environment, and this browser checks the proof.
        The gateway reads the whole log for it, which takes some time if the log is large.
      </p>
      <div className="tools">
        <button type="button" disabled={isBusy} onClick={() => run(prove)}>
          {isBusy ? "Proving…" : "Prove this record"}
        </button>
        <Command text={`sallyport audit proof ${seq}`} />
      </div>
      <ProblemNote problem={problem} />
      <div role="status">{found && <Verdict of={found.verdict} />}</div>
      {found?.verdict.ok && (
        <button type="button" onClick={() => saveFile(`${seq}.tlog-proof`, found.proof, "text/plain")}>
          Save the proof
        </button>
      )}
    </section>
  );
}

function Verdict({ of }: { readonly of: BrowserVerdict }): ReactNode {
  if (!of.ok)
    return (
      <div className="note wrong">
        <p>
          <strong>The proof does not hold: {of.reason}.</strong>
        </p>
        <p>
          Verify the whole audit log on the gateway's machine: <Command text="sallyport audit verify" />
        </p>
      </div>
    );
  return (
    <>
      <p>
        <strong>This browser verified the proof.</strong> The record is entry {count(of.index)} of the log{" "}
        <code>{of.log}</code>, and the signed checkpoint covers {count(of.size)} records.
      </p>
      <p>
        It is signed by <code className="mono">{of.key}</code>. Compare this key with the one that you keep:{" "}
        <Command text="sallyport audit keys" />
      </p>
    </>
  );
}
