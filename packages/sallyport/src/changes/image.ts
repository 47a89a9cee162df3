/**
 * What a committed change leaves: whole records as they are now (post-images). Most operations carry theirs; of a key that
 * was changed in part, the writer answers it.
 */
import type { PolicyImage } from "../access/operations.ts";
import type { FindingImage } from "../access/posture/finding-record.ts";
import type { LedgerEvent } from "../audit/event.ts";
import type { LocalLoginImage } from "../identity/operations.ts";
import type { KeyImage, KeysImage } from "../keys/operations.ts";
import type { TokenImage } from "../tokens/operations.ts";
import type { Operation } from "./change.ts";

export type Image = PolicyImage | FindingImage | KeysImage | TokenImage | LocalLoginImage;
export type ImageKind = Image["of"];
export type ImageOf<K extends ImageKind> = Extract<Image, { readonly of: K }>;

/** A change that is on disk. */
export interface Committed {
  readonly epoch: number;
  /** Number of its last record in the audit log; absent where nothing is stored (rehearsals, tests). */
  readonly seq?: number;
  /** In the order of the operations. */
  readonly images: readonly Image[];
  readonly events: readonly LedgerEvent[];
}

/** What memory holds of some records, so that they need not be read. */
export interface View<K extends ImageKind = ImageKind> {
  readonly name: string;
  readonly hears: readonly K[];
  /** Called for each change, with the images it hears, maybe none, in the order of the changes. Does not wait for anything. */
  apply(images: readonly ImageOf<K>[], epoch: number): void;
  /** Reads everything again. */
  rebuild(): void;
  /**
   * Called in the turn of a large change, before it is committed: makes ready, in slices, what `apply` will show, so that
   * showing it is short. The change may still fail; nothing is shown by this.
   */
  prepare?(images: readonly ImageOf<K>[]): Promise<void>;
}

type Told<O extends Operation["op"]> = ((operation: Extract<Operation, { op: O }>) => Image) | null;

/** The record an operation leaves; null where it changes a part of it, and the writer answers the whole. */
const IMAGES: { readonly [O in Operation["op"]]: Told<O> } = {
  "environment.put": ({ environment }) => ({ of: "environment", id: environment.name, now: environment }),
  "environment.remove": ({ name }) => ({ of: "environment", id: name, now: null }),
  "role.put": ({ role }) => ({ of: "role", id: role.name, now: role }),
  "role.remove": ({ name }) => ({ of: "role", id: name, now: null }),
  "principal.put": ({ principal }) => ({ of: "principal", id: principal.id, now: principal }),
  "group.put": ({ group }) => ({ of: "group", id: group.id, now: group }),
  "group.remove": ({ id }) => ({ of: "group", id, now: null }),
  "assignment.put": ({ assignment }) => ({ of: "assignment", id: assignment.id, now: assignment }),
  "assignment.remove": ({ id }) => ({ of: "assignment", id, now: null }),
  "key.insert": ({ key }) => ({ of: "key", environment: key.environment, id: key.id, now: key }),
  "key.state": null,
  "key.life": null,
  "key.factors": null,
  "key.admin": null,
  "ticket.put": ({ ticket }) => ({ of: "ticket", environment: ticket.environment, id: ticket.id, now: ticket }),
  "restriction.put": ({ restriction }) => ({ of: "restriction", id: restriction.id, now: restriction }),
  "restriction.remove": ({ id }) => ({ of: "restriction", id, now: null }),
  "tokenKey.insert": ({ tokenKey }) => ({ of: "token_key", id: tokenKey.id, now: tokenKey }),
  "tokenKey.remove": ({ id }) => ({ of: "token_key", id, now: null }),
  "token.revoke": ({ token }) => ({ of: "revoked_token", environment: token.environment, id: token.id, now: token }),
  "localLogin.put": ({ login }) => ({ of: "local_login", id: login.principal, now: login }),
  "finding.put": ({ finding }) => ({ of: "finding", id: finding.id, now: finding }),
  "finding.remove": ({ id }) => ({ of: "finding", id, now: null }),
  "localLogin.remove": ({ principal }) => ({ of: "local_login", id: principal, now: null }),
};

/** With the keys that the writer answered, which are as they are after the whole change. */
export function imagesOf(operations: readonly Operation[], keys: readonly KeyImage[]): readonly Image[] {
  const told = operations.flatMap((operation) => {
    // The table's type pairs each name with its own operation; the compiler cannot follow that through the index.
    const imageOf = IMAGES[operation.op] as ((one: Operation) => Image) | null;
    return imageOf ? [imageOf(operation)] : [];
  });
  return [...told, ...keys];
}

/** The key of which an operation changes a part; undefined for any other operation. */
export function keyChangedInPart(operation: Operation): Pick<KeyImage, "environment" | "id"> | undefined {
  switch (operation.op) {
    case "key.state":
    case "key.life":
    case "key.factors":
    case "key.admin":
      return operation;
    default:
      return undefined;
  }
}
