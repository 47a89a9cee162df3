/** An admin key's scope ends with what it came from: the key that made it, and the environments it names. */
import { AdminClient } from "@sallyport/client";
import { beforeEach, describe, expect, it } from "vitest";
import { everything } from "../program-under-test.ts";
import type { AdminRight } from "../program-under-test.ts";
import { clientOf, clientWith, codeOf } from "./caller.ts";
import { MemoryGateway, POLICY } from "./memory-ports.ts";

const weak: AdminRight = { permissions: everything.permissions, environments: ["dev"], mayGrant: null };

let gateway: MemoryGateway;
let root: AdminClient;

beforeEach(async () => {
  gateway = new MemoryGateway();
  root = new AdminClient({ handle: (request) => gateway.app.handle(request, { kind: "socket", user: "root" }) });
  await root.call("policy.apply", { body: { text: POLICY } });
});

describe("an admin key ends with what made it", () => {
  it("by a key that is revoked: the keys that were made with it, unless they are to be kept", async () => {
    const order = { body: { name: "p", role: "admin" as const, environments: ["dev"], mayGrant: "*" as const } };
    for (const children of ["revoke", "keep"] as const) {
      const parent = await root.call("adminKeys.create", order);
      const asParent = clientWith(gateway, parent.key!);
      const child = await asParent.call("adminKeys.create", order);
      await root.call("adminKeys.revoke", {
        params: { id: parent.id },
        query: children === "keep" ? { children } : {},
      });
      expect(gateway.stored.get(`system/${child.id}`)?.state).toBe(children === "keep" ? "active" : "revoked");
    }
  });

  it("by an environment that is removed: made again under the old name it is not theirs", async () => {
    const only = clientOf(gateway, { ...weak, environments: ["lab"], mayGrant: "*" });
    const both = clientOf(gateway, { ...weak, environments: ["lab", "prod"], mayGrant: "*" });
    const lab = (text: string): string =>
      text.replace("  prod:", '  lab: { upstreams: [{ url: "http://10.0.0.9:11434" }] }\n  prod:');
    await root.call("policy.apply", { body: { text: lab(POLICY) } });
    expect(await codeOf(both.call("environments.show", { params: { name: "lab" } }))).toBe("done");
    await root.call("policy.apply", { body: { text: POLICY } });
    await root.call("policy.apply", { body: { text: lab(POLICY) } });
    expect(await codeOf(only.call("environments.show", { params: { name: "lab" } }))).toBe("key_revoked");
    expect(await codeOf(both.call("environments.show", { params: { name: "lab" } }))).toBe("permission_denied");
    expect(await codeOf(both.call("environments.show", { params: { name: "prod" } }))).toBe("done");
  });
});
