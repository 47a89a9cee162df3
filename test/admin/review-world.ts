/** A gateway in memory with keys, services and two reviewers, for the tests of access reviews. */
import { AdminClient } from "@sallyport/client";
import type { LineView } from "@sallyport/contract";
import { pino } from "pino";
import { ReviewJobs } from "../program-under-test.ts";
import { clientWith } from "./caller.ts";
import { DAY_MS, MemoryGateway } from "./memory-ports.ts";

export const POLICY = `
environments:
  dev: { upstreams: [{ url: "http://127.0.0.1:11434" }] }
  prod: { upstreams: [{ url: "http://10.0.0.1:11434" }] }
roles:
  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }
assign:
  - { group: ops, role: bot, in: [dev] }
`;

export class ReviewWorld {
  readonly gateway = new MemoryGateway();
  /** The operating-system user, who has issued everything. */
  readonly root = new AdminClient({
    handle: (request) => this.gateway.app.handle(request, { kind: "socket", user: "root" }),
  });
  readonly keys: { id: string; owner: string }[] = [];
  ada = this.root;
  grace = this.root;

  async begin(): Promise<this> {
    await this.root.call("policy.apply", { body: { text: POLICY } });
    for (const name of ["one", "two", "three"]) this.keys.push(await this.issue(name));
    this.ada = (await this.adminKey("ada")).client;
    this.grace = (await this.adminKey("grace")).client;
    return this;
  }

  issue(name: string, more: { owner?: string; models?: string[] } = {}) {
    const body = { environment: "dev", name, roles: ["bot"], models: ["llama3.2"], ...more };
    return this.root.call("keys.create", { body });
  }

  async adminKey(name: string, role: "access-reviewer" | "admin" = "access-reviewer") {
    const { id, key } = await this.root.call("adminKeys.create", { body: { name, role, environments: ["dev"] } });
    return { id, client: clientWith(this.gateway, key) };
  }

  async start(reviewers: string[] = []): Promise<string> {
    return (await this.root.call("reviews.start", { body: { environment: "dev", reviewers } })).reviewId;
  }

  async lines(id: string): Promise<LineView[]> {
    return (await this.root.call("reviews.lines", { params: { id }, query: { limit: 500 } })).lines;
  }

  async line(id: string, subject: string): Promise<LineView> {
    const found = (await this.lines(id)).find((line) => line.subject === subject);
    if (!found) throw new Error(`no line of ${subject}`);
    return found;
  }

  jobs(isClockAgreed = true): ReviewJobs {
    const log = pino({ level: "silent" });
    return new ReviewJobs({ ports: this.gateway.ports, isClockAgreed: () => isClockAgreed, log });
  }

  /** Past the end of the review, by the gateway itself. */
  async endBySilence(): Promise<void> {
    this.gateway.nowMs += 15 * DAY_MS;
    await this.jobs().look();
  }

  stateOf(id: string, environment = "dev") {
    return this.gateway.stored.get(`${environment}/${id}`)?.state;
  }
}

export function decide(
  by: AdminClient,
  id: string,
  line: number,
  decision: "keep" | "revoke" | "narrow",
  version?: number,
) {
  return by.call("reviews.decide", { params: { id, line }, body: { decision, reason: "because", version } });
}

export function open(by: AdminClient, id: string, line: number) {
  return by.call("reviews.open", { params: { id, line } });
}

/** A key of dev that a review has suspended, with its line. */
export async function suspendedByReview(gateway: MemoryGateway, root: AdminClient, key: string) {
  const { reviewId: id } = await root.call("reviews.start", { body: { environment: "dev", due: "1d" } });
  const { lines } = await root.call("reviews.lines", { params: { id } });
  const { line } = lines.find(({ subject }) => subject === `key:${key}`)!;
  const held = gateway.reviewLines.get(`${id}/${line}`)!;
  const outcome = { what: "suspended", at: 0, says: "x", undo: null } as const;
  gateway.reviewLines.set(`${id}/${line}`, { ...held, status: "ended", outcome });
  gateway.stored.set(`dev/${key}`, {
    ...gateway.stored.get(`dev/${key}`)!,
    state: "suspended",
    reason: "access_review",
  });
  gateway.ports.keys.apply([{ of: "key", environment: "dev", id: key, now: undefined }]);
  return { id, line };
}
