/**
 * Incidents as files: `incidents/<id>/incident.json`, next to its evidence, proofs and report. Retention
 * of the ledger does not touch these files. Read once; this process is the only one that writes them.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "@sallyport/protocol";
import { readBounded } from "@sallyport/ledger/node";
import type { Incident, IncidentShelf } from "../../incident/incident.ts";
import { writeDurably } from "../disk/durable-file.ts";
import { json, object, oneOf, orNull, text, wholeNumber } from "../disk/json-shape.ts";

const ID = /^inc_[0-9A-Za-z]{12}$/;
export const INCIDENT_FILE = "incident.json";

const shape = json(
  object({
    id: text,
    environment: text,
    key: text,
    keyName: text,
    owner: orNull(text),
    since: wholeNumber,
    reason: orNull(text),
    openedAt: wholeNumber,
    openedBy: text,
    closed: orNull(
      object({
        at: wholeNumber,
        by: text,
        outcome: oneOf<NonNullable<Incident["closed"]>["outcome"]>({
          revoked: true,
          reissued: true,
          false_alarm: true,
        }),
        reissued: orNull(text),
        note: orNull(text),
      }),
    ),
  }),
);

export class IncidentFiles implements IncidentShelf {
  readonly #root: string;
  readonly #incidents = new Map<string, Incident>();
  readonly #damaged: string[] = [];

  /** `root` need not be there. */
  constructor(root: string) {
    this.#root = root;
    for (const id of incidentIds(root)) {
      const incident = readIncident(root, id);
      if (incident) this.#incidents.set(id, incident);
      else this.#damaged.push(id);
    }
  }

  list(): readonly Incident[] {
    return [...this.#incidents.values()].sort((a, b) => b.openedAt - a.openedAt);
  }

  damaged(): readonly string[] {
    return this.#damaged;
  }

  put(incident: Incident): void {
    const folder = join(this.#root, incident.id);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeDurably(join(folder, INCIDENT_FILE), `${JSON.stringify(incident, null, 2)}\n`);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Problem("store_unavailable", `incident ${incident.id} cannot be written: ${why}`);
    }
    this.#incidents.set(incident.id, incident);
  }
}

export function incidentIds(root: string): readonly string[] {
  return existsSync(root) ? readdirSync(root).filter((name) => ID.test(name)) : [];
}

const INCIDENT_BYTES_MAX = 16 * 1024 * 1024;

/** Undefined where it cannot be read, or is another's. */
function readIncident(root: string, id: string): Incident | undefined {
  try {
    const incident = shape(
      readBounded(join(root, id, INCIDENT_FILE), INCIDENT_BYTES_MAX)?.toString("utf8"),
      INCIDENT_FILE,
    );
    return incident.id === id ? incident : undefined;
  } catch {
    return undefined;
  }
}
