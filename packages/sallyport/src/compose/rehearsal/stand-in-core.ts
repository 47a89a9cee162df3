/**
 * A core for the rehearsal, in memory only: a separate key, policy and audit log. Everything a model request writes to is
 * separate, and anything that would change or read the real store throws.
 */
import { randomBytes } from "node:crypto";
import { PermissionUses } from "../../access/permission-uses.ts";
import { compileSnapshot } from "../../access/snapshot.ts";
import { defaultEnvironment } from "../../access/default-environment.ts";
import { USUAL_STATE } from "../../access/upstream-state.ts";
import type { RightSpec } from "../../access/policy.ts";
import type { Ticket } from "../../audit/recorder.ts";
import { KeyDirectory } from "../../keys/directory.ts";
import { FirstNetworks } from "../../keys/first-networks.ts";
import { issueKey } from "../../keys/issue.ts";
import { UseRecord } from "../../keys/use-record.ts";
import type { Secret } from "../../kernel/secret.ts";
import type { Core } from "../core.ts";

const ENVIRONMENT = "rehearsal";
/** A reserved name (RFC 2606). It is never looked up: the rehearsal brings its own connections. */
const UPSTREAM_URL = "http://rehearsal.invalid";
const OWNER = "p_rehearsal";
const NO_BOUND = { requests: { count: 1_000_000, windowMs: 60_000 }, concurrency: 1_000 };

export interface StandIn {
  readonly core: Core;
  readonly key: Secret;
}

function forbidden(): never {
  throw new Error("a rehearsal reached the real store");
}

/** What a model request does not touch is the real core's, because it is only read. */
export function makeStandInCore(real: Core): StandIn {
  const { clock } = real;
  const pepper = { version: 1, bytes: randomBytes(32) };
  const peppers = { current: () => pepper, get: () => pepper, create: () => pepper };
  const right: RightSpec = { roles: ["rehearsal"], allow: [], models: ["*"] };
  const { record, text } = issueKey(
    {
      name: "rehearsal", environment: ENVIRONMENT, owner: OWNER, ceiling: right, limits: NO_BOUND,
      createdBy: "gateway", createdAt: clock.now(), expiresAt: clock.now() + 86_400_000,
    },
    peppers,
  ); // prettier-ignore
  const present = compileSnapshot({
    epoch: 0,
    environments: [
      { ...defaultEnvironment, name: ENVIRONMENT, limits: NO_BOUND, upstreams: [{ id: "u1", url: UPSTREAM_URL }] },
    ],
    roles: [
      {
        name: "rehearsal", limits: NO_BOUND, guard: {}, networks: null, require: [],
        grants: [{ permissions: ["infer:chat", "infer:embed"], models: ["*"] }],
      },
    ],
    principals: [
      {
        id: OWNER, kind: "service", name: "rehearsal", team: null, groups: [], isDisabled: false, disabledBy: [],
        revocations: 0, external: null, createdAt: clock.now(),
      },
    ],
    assignments: [
      { id: "a", subject: { principal: OWNER }, environment: ENVIRONMENT, right: { ...right, models: null }, source: "admin" },
    ],
  }); // prettier-ignore
  const keys = new KeyDirectory(
    { key: () => record, eachKeyId: (visit) => visit(ENVIRONMENT, record.id) },
    // Which class holds peppers is nothing to a directory.
    peppers,
  );
  const changes: Core["changes"] = { ...real.changes, change: forbidden, inTurn: forbidden };
  return {
    key: text,
    core: {
      ...real,
      keys,
      changes,
      peppers: peppers as unknown as Core["peppers"],
      snapshot: () => present,
      upstreamStates: { of: () => USUAL_STATE, put: forbidden, onChange: () => {} },
      uses: new UseRecord({ keyUses: () => [], noteUses: () => {} }),
      permissionUses: new PermissionUses(clock.now()),
      firstNetworks: new FirstNetworks({ clock, keys, changes, fault: forbidden }),
      quarantine: { restored: () => undefined, end: forbidden },
      store: { ...forgetfulStore(), reader: real.store.reader },
      onSwap: () => {},
      onEvents: () => {},
      close: forbidden,
    },
  };
}

/** Accepts lines as the writer does and stores none; each is "on disk" in the next turn of the loop. */
function forgetfulStore(): Omit<Core["store"], "reader"> {
  let last: Ticket = 0;
  let durable: Ticket = 0;
  const none = { pendingLines: 0, pendingBytes: 0, oldestPendingMs: 0 };
  return {
    headAt: null,
    append: () => ++last,
    isDurable: (ticket) => ticket <= durable,
    whenDurable(ticket, then) {
      setImmediate(() => {
        durable = Math.max(durable, ticket);
        then(true);
      });
    },
    change: forbidden,
    replica: { judge: forbidden, apply: forbidden },
    noteUses: forbidden,
    countUsage: forbidden,
    isWritable: () => true,
    takesChanges: () => true,
    figures: () => ({ ...none, commits: 0, commitMs: 0, lastCommitMs: 0, refusedLines: 0, records: 0 }),
    close: forbidden,
  };
}
