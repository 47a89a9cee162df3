/** Each operation of a change as SQL, and the rules the store itself keeps: an id comes once, `revoked` is final, and so is a destroyed secret. */
import { isEnvironmentName, Problem } from "@sallyport/protocol";
import type { Operation } from "../../changes/change.ts";
import { keyChangedInPart } from "../../changes/image.ts";
import type { KeyRecord } from "../../keys/key.ts";
import type { KeyImage, KeyLifeState } from "../../keys/operations.ts";
import { DamagedRecord } from "../disk/damaged-record.ts";
import { isTooLarge } from "../disk/sqlite.ts";
import type { SqlDatabase, SqlStatement } from "../disk/sqlite.ts";
import { findingRow } from "./finding-rows.ts";
import { localLoginRow } from "./local-login-rows.ts";
import { directoryGroupRow, principalRow } from "./principal-rows.ts";
import { rightsizingRow } from "./rightsizing-rows.ts";
import { restrictionRow } from "./restriction-rows.ts";
import { reviewLineRow, reviewRow } from "./review-rows.ts";
import {
  assignmentRow,
  environmentRow,
  keyFactorsRow,
  keyLifeRow,
  keyRow,
  readKey,
  roleRow,
  ticketRow,
} from "./rows.ts";

const FORGET_SECONDS = 86_400;

/** Applies one operation inside the open transaction; throws `conflict` or `not_found`. */
export type ApplyOperation = (operation: Operation) => void;

export function makeApplyOperation(database: SqlDatabase): ApplyOperation {
  const insertKey = database.prepare(`INSERT INTO key VALUES (${places(26)}) ON CONFLICT DO NOTHING`);
  const keyState = database.prepare("SELECT state FROM key WHERE environment = ? AND id = ?");
  const setKeyState = database.prepare("UPDATE key SET state = ?, reason = ? WHERE environment = ? AND id = ?");
  const oneKey = database.prepare("SELECT * FROM key WHERE environment = ? AND id = ?");
  const setKeyLife = database.prepare(
    `UPDATE key SET secrets = ?, rotation = ?, rotated_at = ?, frozen_at = ?, lifetime_ms = ?, told = ?, idle_since = ?
     WHERE environment = ? AND id = ?`,
  );
  const setKeyFactors = database.prepare(
    "UPDATE key SET networks = ?, binding = ?, require = ?, signers = ?, path_secret = ?, workloads = ? WHERE environment = ? AND id = ?",
  );
  const setKeyAdmin = database.prepare(
    "UPDATE key SET admin = ? WHERE environment = ? AND id = ? AND admin IS NOT NULL",
  );
  const signers = makeSignerIndex(database);
  const insertTokenKey = database.prepare(`INSERT INTO token_key VALUES (${places(6)})`);
  const removeTokenKey = database.prepare("DELETE FROM token_key WHERE id = ?");
  const putLocalLogin = database.prepare(`INSERT OR REPLACE INTO local_login VALUES (${places(7)})`);
  const removeLocalLogin = database.prepare("DELETE FROM local_login WHERE principal = ?");
  const revokeToken = database.prepare(`INSERT OR REPLACE INTO revoked_token VALUES (${places(3)})`);
  const forgetTokens = database.prepare("DELETE FROM revoked_token WHERE expires_at < ?");
  const ticketOpened = database.prepare("SELECT opened_by FROM ticket WHERE environment = ? AND id = ?");
  const putTicket = database.prepare(`INSERT OR REPLACE INTO ticket VALUES (${places(15)})`);
  const putEnvironment = database.prepare(`INSERT OR REPLACE INTO environment VALUES (${places(17)})`);
  const putRestriction = database.prepare(`INSERT OR REPLACE INTO response VALUES (${places(8)})`);
  const removeRestriction = database.prepare("DELETE FROM response WHERE id = ?");
  const putFinding = database.prepare(`INSERT OR REPLACE INTO finding VALUES (${places(7)})`);
  const removeFinding = database.prepare("DELETE FROM finding WHERE id = ?");
  const putRightsizing = database.prepare(`INSERT OR REPLACE INTO rightsizing VALUES (${places(11)})`);
  const putReview = database.prepare(`INSERT OR REPLACE INTO review VALUES (${places(3)})`);
  const insertLine = database.prepare(`INSERT INTO review_line VALUES (${places(6)})`);
  const setLine = database.prepare(
    "UPDATE review_line SET version = ?, status = ?, assigned_to = ?, body = ? WHERE review = ? AND line = ? AND version = ?",
  );
  const setKeyCeiling = database.prepare(
    "UPDATE key SET ceiling = ? WHERE environment = ? AND id = ? AND admin IS NULL",
  );
  const removeEnvironment = database.prepare("DELETE FROM environment WHERE name = ?");
  const putRole = database.prepare(`INSERT OR REPLACE INTO role VALUES (${places(6)})`);
  const removeRole = database.prepare("DELETE FROM role WHERE name = ?");
  const putPrincipal = database.prepare(`INSERT OR REPLACE INTO principal VALUES (${places(10)})`);
  const putGroup = database.prepare(`INSERT OR REPLACE INTO directory_group VALUES (${places(5)})`);
  const removeGroup = database.prepare("DELETE FROM directory_group WHERE id = ?");
  const putAssignment = database.prepare(`INSERT OR REPLACE INTO assignment VALUES (${places(5)})`);
  const removeAssignment = database.prepare("DELETE FROM assignment WHERE id = ?");

  return function apply(operation) {
    switch (operation.op) {
      case "key.insert":
        demandName(operation.key.environment);
        if (Number(insertKey.run(...keyRow(operation.key)).changes) === 0) {
          throw new Problem("conflict", `there is a key ${operation.key.environment}/${operation.key.id} already`);
        }
        if (operation.key.state !== "revoked") signers.put(operation.key);
        return;
      case "key.state": {
        const { environment, id, state, reason } = operation;
        const held = keyState.get(environment, id)?.["state"];
        if (held === undefined) throw new Problem("not_found", `there is no key ${environment}/${id}`);
        if (held === "revoked" && state !== "revoked")
          throw new Problem("conflict", `key ${environment}/${id} is revoked, and that is final`);
        setKeyState.run(state, reason, environment, id);
        if (state === "revoked") signers.forget(environment, id);
        return;
      }
      case "key.factors": {
        const { environment, id, factors } = operation;
        if (Number(setKeyFactors.run(...keyFactorsRow(factors), environment, id).changes) === 0)
          throw new Problem("not_found", `there is no key ${environment}/${id}`);
        // A revoked key has given its public keys free, for another key to have.
        if (keyState.get(environment, id)?.["state"] !== "revoked")
          signers.put({ environment, id, signers: factors.signers });
        return;
      }
      case "key.admin": {
        const { environment, id, admin } = operation;
        if (Number(setKeyAdmin.run(JSON.stringify(admin), environment, id).changes) === 0)
          throw new Problem("not_found", `there is no admin key ${id}`);
        return;
      }
      case "key.narrow": {
        const { environment, id, ceiling } = operation;
        if (Number(setKeyCeiling.run(JSON.stringify(ceiling), environment, id).changes) === 0)
          throw new Problem("not_found", `there is no key ${environment}/${id}`);
        return;
      }
      case "key.life": {
        const { environment, id, life } = operation;
        const row = oneKey.get(environment, id);
        if (row === undefined) throw new Problem("not_found", `there is no key ${environment}/${id}`);
        demandFinal(readKey(row), life);
        setKeyLife.run(...keyLifeRow(life), environment, id);
        return;
      }
      case "tokenKey.insert": {
        const { environment, id, sealed, purpose, publicKey, createdAt } = operation.tokenKey;
        insertTokenKey.run(environment, id, sealed, purpose, publicKey, createdAt);
        return;
      }
      case "tokenKey.remove":
        remove(removeTokenKey, "token key", operation.id);
        return;
      case "localLogin.put":
        putLocalLogin.run(...localLoginRow(operation.login));
        return;
      case "localLogin.remove":
        remove(removeLocalLogin, "local log-in of", operation.principal);
        return;
      case "token.revoke": {
        const { environment, id } = operation.token;
        const expiresAtSeconds = operation.token.expiresAt / 1_000;
        // What had expired a day before this one will says nothing any more.
        forgetTokens.run(expiresAtSeconds - FORGET_SECONDS);
        revokeToken.run(environment, id, expiresAtSeconds);
        return;
      }
      case "ticket.put": {
        const { environment, id } = operation.ticket;
        const opened = ticketOpened.get(environment, id)?.["opened_by"];
        if (opened !== undefined && opened !== null && opened !== operation.ticket.openedBy)
          throw new Problem("conflict", `delivery link ${id} has been opened and cannot change`);
        putTicket.run(...ticketRow(operation.ticket));
        return;
      }
      case "environment.put":
        demandName(operation.environment.name);
        putEnvironment.run(...environmentRow(operation.environment));
        return;
      case "finding.put":
        putFinding.run(...findingRow(operation.finding));
        return;
      case "finding.remove":
        remove(removeFinding, "finding", operation.id);
        return;
      case "rightsizing.put":
        putRightsizing.run(...rightsizingRow(operation.rightsizing));
        return;
      case "review.put":
        putReview.run(...reviewRow(operation.review));
        return;
      case "review.freeze":
        for (const line of operation.lines) insertLine.run(...reviewLineRow(line));
        return;
      case "review.line": {
        const [review, line, version, ...rest] = reviewLineRow(operation.line);
        // Two reviewers at once: the second writes on a version that is no longer there.
        if (Number(setLine.run(version!, ...rest, review!, line!, Number(version) - 1).changes) === 0)
          throw new Problem("conflict", `line ${String(line)} was changed meanwhile: show it again`);
        return;
      }
      case "environment.remove":
        remove(removeEnvironment, "environment", operation.name);
        return;
      case "role.put":
        putRole.run(...roleRow(operation.role));
        return;
      case "role.remove":
        remove(removeRole, "role", operation.name);
        return;
      case "principal.put":
        putPrincipal.run(...principalRow(operation.principal));
        return;
      case "group.put":
        putGroup.run(...directoryGroupRow(operation.group));
        return;
      case "group.remove":
        remove(removeGroup, "group", operation.id);
        return;
      case "assignment.put":
        demandName(operation.assignment.environment);
        putAssignment.run(...assignmentRow(operation.assignment));
        return;
      case "assignment.remove":
        remove(removeAssignment, "assignment", operation.id);
        return;
      case "restriction.put":
        putRestriction.run(...restrictionRow(operation.restriction));
        return;
      case "restriction.remove":
        remove(removeRestriction, "response", operation.id);
    }
  };
}

/** The keys of which operations changed a part, as they are now: inside the transaction, after all of them. */
export type ReadKeysBack = (operations: readonly Operation[]) => readonly KeyImage[];

export function makeReadKeysBack(database: SqlDatabase): ReadKeysBack {
  const oneKey = database.prepare("SELECT * FROM key WHERE environment = ? AND id = ?");

  function readBack(environment: string, id: string): KeyImage {
    try {
      const row = oneKey.get(environment, id);
      return { of: "key", environment, id, now: row && readKey(row) };
    } catch (cause) {
      // A damaged key can be revoked, too. The next reader finds the damage.
      if (!(cause instanceof DamagedRecord) && !isTooLarge(cause)) throw cause;
      return { of: "key", environment, id, now: undefined };
    }
  }

  return function keysOf(operations) {
    const touched = new Map(
      operations.flatMap((operation) => {
        const key = keyChangedInPart(operation);
        return key ? [[`${key.environment}/${key.id}`, key] as const] : [];
      }),
    );
    return [...touched.values()].map(({ environment, id }) => readBack(environment, id));
  };
}

/** The name of an environment stands in the names of logs and files, so the store keeps no other. */
function demandName(environment: string): void {
  if (!isEnvironmentName(environment))
    throw new Problem("input_invalid", "this is no name of an environment (a-z, 0-9, at most 16)");
}

/** A destroyed secret never works again, whatever the program that asks believes. */
function demandFinal(held: KeyRecord, next: KeyLifeState): void {
  for (const secret of next.secrets) {
    const before = held.secrets.find(({ generation }) => generation === secret.generation);
    if (before?.state === "destroyed" && secret.state !== "destroyed")
      throw new Problem("conflict", `secret ${secret.generation} of key ${held.id} is destroyed, and that is final`);
  }
}

function remove(statement: SqlStatement, noun: string, name: string): void {
  if (Number(statement.run(name).changes) === 0) throw new Problem("not_found", `there is no ${noun} ${name}`);
}

function places(count: number): string {
  return Array.from({ length: count }, () => "?").join(", ");
}

interface SignerIndex {
  /** The key's public keys from now on are these. Throws `already_exists` for one that stands for another key. */
  put(key: Pick<KeyRecord, "environment" | "id" | "signers">): void;
  forget(environment: string, id: string): void;
}

function makeSignerIndex(database: SqlDatabase): SignerIndex {
  const remove = database.prepare("DELETE FROM ollama_signer WHERE environment = ? AND key_id = ?");
  const insert = database.prepare("INSERT INTO ollama_signer VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  return {
    put({ environment, id, signers }) {
      const ollama = signers.filter(({ use }) => use === "ollama");
      remove.run(environment, id);
      for (const signer of ollama) {
        if (Number(insert.run(signer.id, environment, id).changes) === 0)
          throw new Problem("already_exists", `the public key ${signer.id} is registered to another key`);
      }
    },
    forget: (environment, id) => void remove.run(environment, id),
  };
}
