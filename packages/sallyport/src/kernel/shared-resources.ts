/**
 * Everything that all callers share and one could exhaust, in one table: how much there is, how much of it one owner
 * gets, and what is reserved for those who use little. A new shared resource is a row here, and so it has shares.
 */
import type { ShareRules } from "./shares.ts";

/** Connections that one address may hold where it can only be one machine or one household, as a part of all. */
const ADDRESS_PART = 8;
const KEY_PART = 4;

/**
 * Connections of a listener. An owner is an address (IPv6: its /64). What is full makes room by closing the oldest
 * connection whose caller has proved nothing. `perAddress` is the whole capacity where a proxy or local programs connect.
 */
export function connectionShares(capacity: number): {
  readonly ofAddress: ShareRules<"address">;
  readonly ofLocal: ShareRules<"address">;
  readonly ofKey: ShareRules<"key">;
} {
  const perAddress = Math.max(Math.min(64, capacity), Math.floor(capacity / ADDRESS_PART));
  const perKey = Math.max(Math.min(64, capacity), Math.floor(capacity / KEY_PART));
  return {
    ofAddress: { capacity, perOwner: { address: perAddress }, reserve: 0, little: 0 },
    ofLocal: { capacity, perOwner: { address: capacity }, reserve: 0, little: 0 },
    ofKey: { capacity, perOwner: { key: perKey }, reserve: 0, little: 0 },
  };
}

/**
 * Bytes of request bodies in memory. A key may hold a quarter, and one whole request always; a principal half, with all
 * of its keys. The last eighth is for keys that hold little, as chats do.
 */
export function bodyByteShares(capacity: number, requestBytesMax: number): ShareRules<"key" | "principal"> {
  return {
    capacity,
    perOwner: {
      key: Math.max(Math.floor(capacity / 4), requestBytesMax),
      principal: Math.max(Math.floor(capacity / 2), requestBytesMax),
    },
    reserve: Math.floor(capacity / 8),
    little: 1_048_576,
  };
}

/** Bytes of forms that strangers send: no part of what keys may hold, and a part of it for each network. */
export const STRANGERS_BODY_BYTES: ShareRules<"network"> = {
  capacity: 8 * 1_048_576,
  perOwner: { network: 1_048_576 },
  reserve: 1_048_576,
  little: 65_536,
};

/** Programs that wait for a log-in, of one environment. What is full makes room in the network that holds most. */
export const DEVICE_GRANTS: ShareRules<"network"> = {
  capacity: 2_048,
  perOwner: { network: 128 },
  reserve: 0,
  little: 0,
};

/** Browsers that are away at a form or at the identity provider. Makes room as log-ins do. */
export const LOGIN_ATTEMPTS: ShareRules<"network"> = {
  capacity: 2_048,
  perOwner: { network: 128 },
  reserve: 0,
  little: 0,
};

/** Passwords that wait to be hashed, one after another: a tenth of a second each. */
export const PASSWORD_HASHES: ShareRules<"network"> = {
  capacity: 24,
  perOwner: { network: 8 },
  reserve: 8,
  little: 1,
};

/** What was seen and must not come again. An owner is a key: its own proofs, nonces and tokens fill its own share only. */
function replayShares(capacity: number, perKey: number): ShareRules<"owner"> {
  return { capacity, perOwner: { owner: perKey }, reserve: Math.floor(capacity / 4), little: 256 };
}

/** About a thousand signed requests a second in each environment, a quarter of them of one key; 13 MB when full (measured). */
export const SIGNATURE_NONCES = replayShares(65_536, 16_384);
export const OLLAMA_SIGNATURES = replayShares(16_384, 2_048);
export const DPOP_PROOFS = replayShares(65_536, 8_192);
export const WORKLOAD_TOKENS = replayShares(65_536, 8_192);
export const CLIENT_ASSERTIONS = replayShares(65_536, 4_096);

/** Tails of the audit log that are open: each costs a turn of the reading thread four times a second. */
export const AUDIT_TAILS: ShareRules<"caller"> = {
  capacity: 64,
  perOwner: { caller: 16 },
  reserve: 16,
  little: 2,
};

/** Streams of live events that are open: a browser has one. Each costs a short turn four times a second. */
export const EVENT_STREAMS: ShareRules<"caller"> = {
  capacity: 64,
  perOwner: { caller: 16 },
  reserve: 16,
  little: 2,
};

/** Calls of the admin API that run at the same time. What takes away asks for no share: it is always let in. */
export const ADMIN_CALLS: ShareRules<"caller"> = {
  capacity: 512,
  perOwner: { caller: 64 },
  reserve: 128,
  little: 8,
};

/** Policy texts that wait to be read in a thread, one after another. */
export const POLICY_TEXTS: ShareRules<"actor"> = {
  capacity: 16,
  perOwner: { actor: 2 },
  reserve: 0,
  little: 0,
};
