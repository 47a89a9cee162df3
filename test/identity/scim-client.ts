/** A provisioning client against administration in memory: what vendors send, as they send it. */
import { AdminClient } from "@sallyport/client";
import type { AdminRight, Principal } from "../program-under-test.ts";
import { MemoryGateway, POLICY } from "../admin/memory-ports.ts";

export const PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
export const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
export const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";

export const provisioner: AdminRight = {
  permissions: ["principals:read", "principals:manage"],
  environments: "*",
  mayGrant: { allow: ["infer:chat"], models: ["llama3.2"] },
};

export interface Said {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export class ScimClient {
  readonly gateway = new MemoryGateway();
  #key = "";

  /** A policy in which the group `ops` has the role `bot` in prod. */
  async start(right: AdminRight = provisioner): Promise<this> {
    await this.admin.call("policy.apply", { body: { text: POLICY } });
    this.#key = this.gateway.adminKey(right, null);
    this.gateway.events.length = 0;
    return this;
  }

  get admin(): AdminClient {
    return new AdminClient({ handle: (request) => this.gateway.app.handle(request, { kind: "socket", user: "root" }) });
  }

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Said> {
    const request = new Request(`http://localhost/scim/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#key}`, "content-type": "application/scim+json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const response = await this.gateway.app.handle(request, { kind: "tcp" });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
  }

  patch(path: string, ...Operations: unknown[]): Promise<Said> {
    return this.send("PATCH", path, { schemas: [PATCH_OP], Operations });
  }

  /** Made as Entra ID makes a user. */
  async user(userName: string, more: object = {}): Promise<string> {
    const made = await this.send("POST", "/Users", {
      schemas: [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
      externalId: `x-${userName}`,
      userName,
      active: true,
      emails: [{ primary: true, type: "work", value: `${userName}@example.org` }],
      meta: { resourceType: "User" },
      name: { formatted: "Ada L", familyName: "L", givenName: "Ada" },
      roles: [],
      ...more,
    });
    if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    return String(made.body["id"]);
  }

  async group(displayName: string, ...members: string[]): Promise<string> {
    const made = await this.send("POST", "/Groups", {
      schemas: [GROUP],
      externalId: `g-${displayName}`,
      displayName,
      members: members.map((value) => ({ value })),
    });
    if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    return String(made.body["id"]);
  }

  person(id: string): Principal {
    return this.gateway.ports.snapshot().principals.get(id)!;
  }
}
