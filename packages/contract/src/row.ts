/** The shape of one row of the admin contract. Server, client and command line all walk the same rows. */
import { z } from "zod";
import type { AdminPermission } from "@sallyport/protocol";

export interface ContractRow {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/v1/…`; a segment written `:name` is a parameter. */
  readonly path: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  /** Null where no body is accepted. */
  readonly body: z.ZodObject | null;
  readonly answer: z.ZodType;
  /** Status of a success. */
  readonly status: 200 | 201;
  readonly permission: AdminPermission;
  /** `socket` = only the operating-system user on the gateway host; no key opens it. */
  readonly caller: "any" | "socket";
  /** Types of the audit events that a success records; empty for reading. */
  readonly events: readonly string[];
  readonly says: string;
  /** A request that is answered with success by a gateway with an environment `dev`; an id in it stands for one of the caller's. */
  readonly example?: {
    readonly params?: Readonly<Record<string, string>>;
    readonly body?: Readonly<Record<string, unknown>>;
  };
}

/** The lists of an answer, by their members' names, each with what one of its elements is. */
export function answerLists(answer: z.ZodType): ReadonlyMap<string, z.ZodType> {
  if (!(answer instanceof z.ZodObject)) return new Map();
  return new Map(
    Object.entries(answer.shape).flatMap(([name, member]) =>
      member instanceof z.ZodArray ? [[name, member.element as z.ZodType]] : [],
    ),
  );
}
