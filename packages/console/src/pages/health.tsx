/** The gateway itself: its nodes, model servers, sinks and audit log. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Answer } from "@sallyport/contract";
import { call } from "../calls.ts";
import { Command } from "../parts/command.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Time } from "../parts/time.tsx";
import { useAct } from "../parts/use-act.ts";
import { useAnswer } from "../parts/use-answer.ts";
import { may } from "../session.ts";
import { count, duration } from "../words.ts";
import type { PageProps } from "../page-props.ts";

const EVERY_MS = 5_000;
type Server = Answer<"upstreams.list">["upstreams"][number];
type Status = Answer<"status">;

export function HealthPage({ present }: PageProps): ReactNode {
  const { value, problem } = useAnswer("status", (signal) => call("status", {}, signal), EVERY_MS);
  return (
    <>
      <ProblemNote problem={problem} />
      <Restored />
      {value && <Nodes of={value} />}
      {may(present, "upstreams.list") && <Servers canDrain={may(present, "upstreams.drain")} />}
      {value && <Sinks of={value} />}
      {may(present, "audit.verify") && <AuditLog />}
      <p className="quiet">
        More checks, on the gateway's machine: <Command text="sallyport doctor" />
      </p>
    </>
  );
}

/** A gateway on one machine is its only node. */
function Nodes({ of }: { readonly of: Status }): ReactNode {
  return (
    <section aria-label="Nodes">
      <h2>Nodes</h2>
      <DataTable
        caption="Nodes, a row each"
        rows={[of]}
        keyOf={({ dataListen }) => dataListen}
        empty={null}
        columns={[
          { name: "Node", show: () => "this gateway" },
          { name: "State", show: ({ isStoreWritable }) => (isStoreWritable ? <span className="state active">serving</span> : <span className="state revoked">cannot write its audit log</span>) },
          { name: "Version", show: ({ version }) => version },
          { name: "Epoch", show: ({ epoch }) => epoch, isNumber: true },
          { name: "Started", show: ({ startedAt }) => <Time at={startedAt} /> },
          { name: "Data", show: ({ dataListen }) => <code>{dataListen}</code> },
          { name: "Administration", show: ({ adminListen }) => <code>{adminListen}</code> },
          { name: "Damaged rows", show: ({ damagedRecords }) => count(damagedRecords), isNumber: true },
        ]} // prettier-ignore
      />
    </section>
  );
}

function Servers({ canDrain }: { readonly canDrain: boolean }): ReactNode {
  const { value, problem, again } = useAnswer("servers", (signal) => call("upstreams.list", {}, signal), EVERY_MS);
  const fitness = useAnswer("activity", (signal) => call("activity", {}, signal), EVERY_MS).value;
  const [asked, setAsked] = useState<Server>();
  const close = (): void => (setAsked(undefined), again());
  const stateOf = ({ environment, id }: Server): string | undefined =>
    fitness?.environments.find(({ name }) => name === environment)?.servers.find((one) => one.id === id)?.fitness;
  return (
    <section aria-label="Model servers">
      <h2>Model servers</h2>
      <ProblemNote problem={problem} />
      {value && (
        <DataTable
          caption="Model servers, a row each"
          rows={value.upstreams}
          keyOf={({ environment, id }) => `${environment}/${id}`}
          empty={<p>Policy names no model server.</p>}
          columns={[
            { name: "Server", show: ({ id }) => id },
            { name: "Environment", show: ({ environment }) => environment },
            { name: "Address", show: ({ url }) => <code>{url}</code> },
            { name: "State", show: (one) => (one.isDrained ? "drained" : (stateOf(one) ?? "–")) },
            { name: "Running", show: ({ running }) => running ?? "–", isNumber: true },
            { name: "Credential", show: ({ hasCredential }) => (hasCredential ? "stored" : "none") },
            { name: "TLS", show: ({ hasOwnCa, hasClientCertificate }) => [hasOwnCa && "own authority", hasClientCertificate && "client certificate"].filter(Boolean).join(", ") || "as the system" },
            { name: "Acts", show: (one) => canDrain && <button type="button" className="small" aria-label={`${one.isDrained ? "Resume" : "Drain"}: ${one.id} of ${one.environment}`} onClick={() => setAsked(one)}>{one.isDrained ? "Resume" : "Drain"}</button> },
          ]} // prettier-ignore
        />
      )}
      {asked && (
        <Confirm
          title={`${asked.isDrained ? "Resume" : "Drain"} ${asked.id} of ${asked.environment}?`}
          verb={asked.isDrained ? "Resume" : "Drain"}
          says={
            asked.isDrained
              ? "The server gets new requests again."
              : "The server gets no new requests. Requests that run finish."
          }
          command={`sallyport upstreams drain ${asked.environment}/${asked.id}${asked.isDrained ? " --undo" : ""}`}
          change={() =>
            call("upstreams.drain", {
              params: { name: asked.environment, upstream: asked.id },
              body: { isDrained: !asked.isDrained },
            })
          }
          onDone={close}
          onClose={close}
        />
      )}
    </section>
  );
}

function Sinks({ of: { sinks } }: { readonly of: Status }): ReactNode {
  return (
    <section aria-label="Sinks">
      <h2>Sinks of audit records</h2>
      <DataTable
        caption="Sinks, a row each"
        rows={sinks}
        keyOf={({ name }) => name}
        empty={<p>Records are kept here, and sent to no other system.</p>}
        columns={[
          { name: "Sink", show: ({ name }) => name },
          { name: "Type", show: ({ type }) => type },
          { name: "Behind", show: ({ lagRecords, lagSeconds }) => `${count(lagRecords)} records, ${duration(lagSeconds * 1_000)}` },
          { name: "Sent", show: ({ sent }) => count(sent), isNumber: true },
          { name: "Set aside", show: ({ deadLettered }) => count(deadLettered), isNumber: true },
          { name: "Failures", show: ({ failures }) => count(failures), isNumber: true },
          { name: "Trouble", show: ({ trouble }) => trouble ?? "–" },
        ]} // prettier-ignore
      />
    </section>
  );
}

function AuditLog(): ReactNode {
  const [verdict, setVerdict] = useState<Answer<"audit.verify">>();
  const { isBusy, problem, run } = useAct(() => undefined);
  const verify = async (): Promise<void> => (setVerdict(undefined), setVerdict(await call("audit.verify")));
  return (
    <section aria-label="Audit log">
      <h2>Audit log</h2>
      <p className="tools">
        <button type="button" disabled={isBusy} onClick={() => run(verify)}>
          {isBusy ? "Verifying…" : "Verify it now"}
        </button>
        <Command text="sallyport audit verify" />
      </p>
      <ProblemNote problem={problem} />
      <div role="status">
        {verdict && (
          <div className={verdict.ok ? "note" : "note wrong"}>
            <p>
              <strong>{verdict.ok ? "Whole" : "Damaged"}</strong>: {count(verdict.records)} records
              {verdict.firstDamage &&
                `; first damage at record ${verdict.firstDamage.seq}: ${verdict.firstDamage.reason}`}
            </p>
            {verdict.unvouched.length > 0 && <p>{verdict.unvouched.length} gaps in which nothing was recorded.</p>}
            <ul>
              {verdict.cannotShow.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </section>
  );
}

function Restored(): ReactNode {
  const { value } = useAnswer("restore", (signal) => call("restore.show", {}, signal));
  if (!value?.isUnconfirmed) return null;
  return (
    <div className="note wrong" role="alert">
      <p>
        <strong>A restored backup waits to be confirmed</strong>: it is of{" "}
        <Time at={value.backupAt} never="an unknown time" />. Until then no key works.
      </p>
      <Command text="sallyport restore --help" />
    </div>
  );
}
