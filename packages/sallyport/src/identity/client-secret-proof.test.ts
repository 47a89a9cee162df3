import { expect, it } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { clientSecretProof } from "./client-secret-proof.ts";

function sent(clientId: string, secret: string): string {
  const headers = new Headers();
  clientSecretProof(new Secret(secret))({} as never, { client_id: clientId }, new URLSearchParams(), headers);
  const [scheme, value] = headers.get("authorization")!.split(" ");
  expect(scheme).toBe("Basic");
  return Buffer.from(value!, "base64").toString("utf8");
}

it.each([
  ["Google", "1234-abc_d.apps.googleusercontent.com", "GOCSPX-a_b-c"],
  ["Entra ID", "00001111-aaaa-2222-bbbb-3333cccc4444", "abc8Q~a.B-c_d"],
])("ids and secrets as %s makes them are sent as they are", (_provider, id, secret) => {
  expect(sent(id, secret)).toBe(`${id}:${secret}`);
});

it("what would end the id early, or mean something else after decoding, is encoded", () => {
  expect(sent("a:b", "c+d %é")).toBe("a%3Ab:c%2Bd%20%25%C3%A9");
});
