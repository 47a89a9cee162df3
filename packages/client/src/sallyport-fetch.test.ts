import { formatKeyText, Secret } from "@sallyport/protocol";
import { expect, it } from "vitest";
import type { Credential } from "./credential/credential.ts";
import { sallyportFetch } from "./sallyport-fetch.ts";

const url = "https://gateway.example.org";
const credential = (text: string, expiresAt: number | null = null): Credential => ({
  secret: new Secret(text), kind: "key", source: "file", where: "f", environment: "dev", keyId: null, expiresAt,
}); // prettier-ignore

interface Sent {
  readonly url: string;
  readonly headers: Headers;
  readonly init: RequestInit | undefined;
}

/** A gateway that takes some keys, and what was sent to it. */
function setUp(good: readonly string[], gives: readonly Credential[], now = 0) {
  const sent: Sent[] = [];
  let asked = 0;
  const send: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    sent.push({ url: input instanceof Request ? input.url : String(input), headers, init });
    const isGood = good.some((key) => headers.get("authorization") === `Bearer ${key}`);
    return new Response("{}", { status: isGood ? 200 : 401 });
  };
  const ask = sallyportFetch({
    url,
    credential: async () => gives[Math.min(asked++, gives.length - 1)]!,
    fetch: send,
    now: () => now,
  });
  return { ask, sent, asked: () => asked };
}

it("puts the credential in the place of whatever the library was told, and keeps the rest", async () => {
  const { ask, sent } = setUp(["k1"], [credential("k1")]);
  const headers = { Authorization: "Bearer unused", "X-Api-Key": "unused", "api-key": "unused", "content-type": "a/b" };
  expect((await ask(`${url}/v1/messages`, { method: "POST", body: "x", headers })).status).toBe(200);
  await ask(new Request(`${url}/api/tags`, { headers }));
  for (const { headers: had, init } of sent) {
    expect([...had].map(([name]) => name)).toEqual(["authorization", "content-type"]);
    expect(init?.redirect).toBe("error");
  }
});

it.each(["https://other.example.org/api/chat", "http://gateway.example.org/", `${url}:444/`, `${url}.evil.org/`, "/api/chat"])(
  "sends nothing to %s",
  async (target) => {
    const { ask, sent, asked } = setUp(["k1"], [credential("k1")]);
    await expect(ask(target)).rejects.toMatchObject({ code: "input_invalid" });
    expect([sent.length, asked()]).toEqual([0, 0]);
  },
); // prettier-ignore

it("asks anew after a 401 and sends once more, and never a third time", async () => {
  const { ask, sent, asked } = setUp(["k2"], [credential("k1"), credential("k2")]);
  expect((await ask(url, { method: "POST", body: "x" })).status).toBe(200);
  expect((await ask(url)).status).toBe(200);
  expect([sent.length, asked()]).toEqual([3, 2]);
  const lost = setUp([], [credential("k1"), credential("k2"), credential("k3")]);
  expect((await lost.ask(url)).status).toBe(401);
  expect(lost.sent.length).toBe(2);
});

it("does not send the same credential again, nor a body that is gone", async () => {
  const same = setUp([], [credential("k1")]);
  expect((await same.ask(url)).status).toBe(401);
  expect(same.sent.length).toBe(1);
  const stream = setUp(["k2"], [credential("k1"), credential("k2")]);
  const body = new Blob(["x"]).stream();
  expect((await stream.ask(url, { method: "POST", body, duplex: "half" } as RequestInit)).status).toBe(401);
  expect(stream.sent.length).toBe(1);
});

it("asks once for requests that begin together, and again shortly before the end", async () => {
  const { ask, asked } = setUp(["k1"], [credential("k1")]);
  await Promise.all([ask(url), ask(url), ask(url)]);
  expect(asked()).toBe(1);
  const ending = setUp(["k1", "k2"], [credential("k1", 60_000), credential("k2", 600_000)], 40_000);
  await ending.ask(url);
  expect(ending.sent[0]?.headers.get("authorization")).toBe("Bearer k2");
});

it("a source that fails is asked again with the next request", async () => {
  const gives = [new Error("none"), credential("k1")];
  const ask = sallyportFetch({
    url,
    credential: async () => {
      const next = gives.shift()!;
      if (next instanceof Error) throw next;
      return next;
    },
    fetch: async () => new Response(),
  });
  await expect(ask(url)).rejects.toThrow("none");
  expect((await ask(url)).status).toBe(200);
});

it("takes the machine's own credential where none is given", async () => {
  const key = formatKeyText("sp", "dev", "aaaaaaaaaaaa", "s".repeat(43));
  const seen: (string | null)[] = [];
  const ask = sallyportFetch({
    url,
    env: { SALLYPORT_API_KEY: key, HOME: "/nowhere" },
    fetch: async (_input, init) => {
      seen.push(new Headers(init?.headers).get("authorization"));
      return new Response();
    },
  });
  await ask(url);
  expect(seen).toEqual([`Bearer ${key}`]);
});
