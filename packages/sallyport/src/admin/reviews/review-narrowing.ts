/**
 * What `narrow` leaves of a right: the models that were used, where the usage counters say which. Roles stay, because
 * their limits and guards bind. Of an admin key the environment goes, where it has others.
 */
import { coversSelector, parseSelector } from "@sallyport/protocol";
import type { RightSpec } from "../../access/policy.ts";
import type { Operation } from "../../changes/change.ts";
import { dayOf, OTHER_MODELS } from "../../usage/usage-row.ts";
import type { AdminPorts } from "../ports.ts";
import { EVIDENCE_DAYS } from "./review-facts.ts";
import type { FoundSubject } from "./review-subject.ts";

const DAY_MS = 86_400_000;
/** What is used once a month must not look unused. */
const KNOWN_DAYS = 30;
const MODELS_MAX = 64;

export interface Narrowing {
  readonly operation: Operation;
  readonly says: string;
}

/** Null where nothing less can be left: then it is kept or revoked. */
export async function narrowingFor(
  ports: Pick<AdminPorts, "usage" | "clock">,
  environment: string,
  found: FoundSubject,
): Promise<Narrowing | null> {
  switch (found.kind) {
    case "service":
      return null;
    case "admin_key": {
      const { id, environment: realm, admin } = found.key;
      if (!admin || admin.environments === "*") return null;
      const environments = admin.environments.filter((name) => name !== environment);
      if (environments.length === 0) return null;
      return {
        operation: { op: "key.admin", environment: realm, id, admin: { ...admin, environments } },
        says: `it administers ${environments.join(", ")} alone`,
      };
    }
    case "key": {
      const { key } = found;
      if (ports.clock.now() - key.createdAt < KNOWN_DAYS * DAY_MS) return null;
      const right = await usedRight(ports, environment, key.ceiling, { key: key.id });
      if (!right) return null;
      return { operation: { op: "key.narrow", environment, id: key.id, ceiling: right }, says: saysOf(right) };
    }
    case "assignment": {
      const { assignment } = found;
      // What the file says is changed in the file; a group's use is that of its members.
      if (assignment.source === "policy" || "group" in assignment.subject) return null;
      const { principal } = assignment.subject;
      const right = await usedRight(ports, environment, assignment.right, { principal });
      if (!right) return null;
      return { operation: { op: "assignment.put", assignment: { ...assignment, right } }, says: saysOf(right) };
    }
  }
}

function saysOf({ models }: RightSpec): string {
  return `models: ${models?.join(", ") ?? ""}`;
}

async function usedRight(
  { usage, clock }: Pick<AdminPorts, "usage" | "clock">,
  environment: string,
  right: RightSpec,
  of: { readonly key?: string; readonly principal?: string },
): Promise<RightSpec | null> {
  if (right.models === null) return null;
  const to = dayOf(clock.now());
  const scope = { from: to - EVIDENCE_DAYS + 1, to, environment, ...of, by: ["model"] as const, limit: 1_000 };
  const { rows, next, firstDay } = await usage.report(scope);
  if (next !== null || firstDay === null || to - firstDay < KNOWN_DAYS) return null;
  const used = rows.filter(({ requests, model }) => requests > 0 && model !== "").map(({ model }) => model ?? "");
  if (used.length === 0 || used.length > MODELS_MAX || used.includes(OTHER_MODELS)) return null;
  const wide = right.models.map(parseSelector);
  const isWithin = used.every((model) => {
    const narrow = parseSelector(model);
    return narrow !== undefined && wide.some((one) => one !== undefined && coversSelector(one, narrow));
  });
  const models = used.toSorted();
  const isLess = right.models.some((selector) => {
    const one = parseSelector(selector);
    return !models.some((model) => {
      const narrow = parseSelector(model);
      return one !== undefined && narrow !== undefined && coversSelector(narrow, one);
    });
  });
  return isWithin && isLess ? { ...right, models } : null;
}
