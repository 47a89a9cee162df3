import { describe, expect, test } from "vitest";
import type { Clock } from "../../kernel/clock.ts";
import { readRemoteModels } from "./listed-models.ts";
import { ModelOrigins } from "./model-origins.ts";
import type { Upstream } from "./upstream.ts";

const NAME = "registry.ollama.ai/library/a:latest";

function world(answers: () => Promise<ReadonlySet<string>>): {
  origins: ModelOrigins;
  upstream: Upstream;
  asked: () => number;
  pass: (ms: number) => void;
  failures: string[];
} {
  let now = 0;
  let asked = 0;
  const failures: string[] = [];
  const clock = { now: () => now, monotonic: () => now } as Clock;
  const origins = new ModelOrigins(clock, () => {
    asked++;
    return answers();
  });
  const upstream = {
    spec: { id: "u1", url: "http://127.0.0.1:1" },
    running: 1,
    health: { fitness: "up", failed: (failure: string) => failures.push(failure) },
  } as unknown as Upstream;
  return { origins, upstream, asked: () => asked, pass: (ms) => void (now += ms), failures };
}

describe("where models run", () => {
  test("a busy server is asked again after a second, a quiet one for each request", async () => {
    const { origins, upstream, asked, pass } = world(async () => new Set([NAME]));
    expect(await origins.isRemote(upstream, NAME)).toBe(true);
    expect(await origins.isRemote(upstream, "other")).toBe(false);
    expect(asked()).toBe(1);
    pass(400);
    expect(origins.isRemote(upstream, NAME)).toBe(true);
    expect(asked()).toBe(1);
    pass(200);
    // Used once more, and asked again in the background.
    expect(origins.isRemote(upstream, NAME)).toBe(true);
    expect(asked()).toBe(2);
    await new Promise((resolve) => setImmediate(resolve));
    pass(1_000);
    expect(await origins.isRemote(upstream, NAME)).toBe(true);
    expect(asked()).toBe(3);
    (upstream as { running: number }).running = 0;
    expect(await origins.isRemote(upstream, NAME)).toBe(true);
    expect(asked()).toBe(4);
  });

  test("after a change nothing old is used, whether held or on its way", async () => {
    let answer: ReadonlySet<string> = new Set();
    const waiting: (() => void)[] = [];
    const { origins, upstream } = world(async () => {
      const then = answer;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return then;
    });
    const first = origins.isRemote(upstream, NAME);
    answer = new Set([NAME]);
    origins.noteChange([upstream]);
    waiting.shift()!();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    waiting.shift()!();
    expect(await first).toBe(true);
    origins.noteChange([upstream]);
    const again = origins.isRemote(upstream, NAME);
    expect(again).toBeInstanceOf(Promise);
    await new Promise((resolve) => setImmediate(resolve));
    waiting.shift()!();
    expect(await again).toBe(true);
  });

  test("a server that cannot be asked is unknown, and is not chosen", async () => {
    const { origins, upstream, failures } = world(async () => {
      throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    });
    expect(await origins.isRemote(upstream, NAME)).toBeUndefined();
    expect(failures).toContain("unreachable");
  });

  test("the first of several servers that answers decides", async () => {
    const { origins, upstream } = world(async () => new Set([NAME]));
    const silent = {
      spec: { id: "u2", url: "http://127.0.0.1:2" },
      running: 0,
      health: { fitness: "up" },
    } as unknown as Upstream;
    const slow = new ModelOrigins({ now: () => 0, monotonic: () => 0 } as Clock, (asked) =>
      asked === silent ? new Promise(() => undefined) : Promise.resolve(new Set([NAME])),
    );
    expect(await slow.isRemoteOnAny([silent, upstream], NAME)).toBe(true);
    expect(await origins.isRemoteOnAny([upstream], NAME)).toBe(true);
  });
});

test.each([
  ['{"models":[{"name":"a","remote_host":"https://ollama.com"}]}', [NAME]],
  ['{"models":[{"model":"A:latest","remote_model":"x"}]}', [NAME]],
  ['{"models":[{"name":"a","remote_host":""},{"name":"b"}]}', []],
  ['{"models":[null,1,"a",{"name":1,"remote_host":"h"}]}', []],
  ['{"models":{}}', []],
  ["<html>", []],
])("%s lists %j", (text, names) => {
  expect([...readRemoteModels(text)]).toEqual(names);
});
