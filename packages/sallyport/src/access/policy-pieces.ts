/**
 * A policy that was read in one thread, on its way to another: in one message, ten thousand assignments are a long turn for
 * the thread that hears it. Pieces are taken one by one.
 */
import type { PolicyDocument } from "./policy-file.ts";
import type { PolicyTextRead } from "./policy-text.ts";

/** A part of what was read: of a policy some of its environments, roles, assignments or tests. */
export type PolicyReadPiece = Partial<PolicyDocument> | Exclude<PolicyTextRead, { readonly ok: true }>;

const PIECE_LENGTH = 200;

export function cutPolicyRead(read: PolicyTextRead): PolicyReadPiece[] {
  if (!read.ok) return [read];
  const { environments, roles, assignments, tests } = read.policy;
  return [
    ...cut(environments).map((piece) => ({ environments: piece })),
    ...cut(roles).map((piece) => ({ roles: piece })),
    ...cut(assignments).map((piece) => ({ assignments: piece })),
    ...cut(tests).map((piece) => ({ tests: piece })),
  ];
}

/** The whole again. */
export function joinPolicyRead(pieces: readonly PolicyReadPiece[]): PolicyTextRead {
  const all: { [K in keyof PolicyDocument]: PolicyDocument[K][number][] } = {
    environments: [],
    roles: [],
    assignments: [],
    tests: [],
  };
  for (const piece of pieces) {
    if ("ok" in piece) return piece;
    all.environments.push(...(piece.environments ?? []));
    all.roles.push(...(piece.roles ?? []));
    all.assignments.push(...(piece.assignments ?? []));
    all.tests.push(...(piece.tests ?? []));
  }
  return { ok: true, policy: all };
}

function cut<T>(list: readonly T[]): readonly T[][] {
  const pieces: T[][] = [];
  for (let from = 0; from < list.length; from += PIECE_LENGTH) pieces.push(list.slice(from, from + PIECE_LENGTH));
  return pieces;
}
