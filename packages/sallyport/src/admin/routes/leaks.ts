/** Leaks: reported by an administrator, by the key's id or its whole text, and listed. */
import { Problem } from "@sallyport/protocol";
import type { LeakView } from "@sallyport/contract";
import { administers } from "../../access/attenuation.ts";
import type { AuditRecord } from "../../audit/audit-log.ts";
import type { EventType } from "../../audit/event.ts";
import { Secret } from "../../kernel/secret.ts";
import { judgeKey } from "../../leaks/found-leak.ts";
import type { FoundLeak } from "../../leaks/found-leak.ts";
import { leakPlace } from "../../leaks/leak-report.ts";
import type { AnyCall, Call, Handlers } from "../call.ts";
import { findKey } from "../find-key.ts";
import { isoTime } from "../views.ts";

const LIST_DEFAULT = 50;
const TYPES: readonly EventType[] = ["leak.reported", "leak.unproven", "leak.rejected", "leak.in_traffic"];

async function report(call: Call<"leaks.report">) {
  const { ports, caller, body } = call;
  const { keyId, url } = body;
  const text = body.key === undefined ? undefined : new Secret(body.key);
  if ((keyId === undefined) === (text === undefined))
    throw new Problem("input_invalid", undefined, ["key: give the whole key or keyId, one of them"]);
  // An id proves nothing by itself: it is the administrator's word, for keys that they may stop.
  const found: FoundLeak = text
    ? judgeKey(ports.leakHolder, text.reveal())
    : { verdict: "working", kind: "api", key: findKey(call, keyId!) };
  const place = url === undefined ? null : leakPlace(url);
  const { actor } = caller.issuer;
  const witness = { actor, sender: actor, message: null, address: caller.address };
  const { seq, leaks } = await ports.leaks.take([{ found, url: place, source: null }], witness);
  const [leak] = leaks;
  // Of a key in an environment that is not the caller's, they learn that the report was taken.
  const isShown =
    leak?.environment !== null && leak !== undefined && administers(caller.issuer.right, leak.environment);
  return {
    receipt: seq ?? null,
    verdict: isShown ? leak.verdict : "no_key",
    keyId: isShown ? leak.key : null,
    environment: isShown ? leak.environment : null,
    action: isShown ? leak.action : "none",
    incidentId: isShown ? leak.incident : null,
  };
}

async function list(call: Call<"leaks.list">): Promise<{ leaks: LeakView[] }> {
  const { ports, query } = call;
  const records = await ports.audit.search({
    types: TYPES,
    ...environmentsOf(call),
    ...(query.since === undefined ? {} : { since: query.since }),
    limit: query.limit ?? LIST_DEFAULT,
    order: "newest",
  });
  return { leaks: records.map(viewLeak) };
}

function environmentsOf({ caller }: AnyCall): { environments?: readonly string[] } {
  const { environments } = caller.issuer.right;
  return environments === "*" ? {} : { environments };
}

function viewLeak({ seq, at, environment, type, actor, fields }: AuditRecord): LeakView {
  const text = (name: string): string | null => {
    const value = fields[name];
    return typeof value === "string" ? value : null;
  };
  const ids = fields["keys"];
  const key = text("key");
  return {
    receipt: seq,
    at: isoTime(at),
    environment,
    type,
    keyIds: key === null ? (Array.isArray(ids) ? ids.map(String) : []) : [key],
    by: text("sender") ?? actor,
    url: text("url"),
    source: text("source") ?? text("where"),
    action: text("action") ?? "none",
    incidentId: text("incident"),
  };
}

export const leakHandlers: Handlers<"leaks.report" | "leaks.list"> = { "leaks.report": report, "leaks.list": list };
