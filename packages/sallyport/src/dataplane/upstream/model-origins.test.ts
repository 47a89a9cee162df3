import { describe, expect, test } from "vitest";
import { USUAL_STATE } from "../../access/upstream-state.ts";
import type { Clock } from "../../kernel/clock.ts";
import { Secret } from "../../kernel/secret.ts";
import { ListingUnavailable, readRemoteModels, readServedNames } from "./listed-models.ts";
import type { ModelListing } from "./model-listing.ts";
import { ModelOrigins } from "./model-origins.ts";
import type { Upstream } from "./upstream.ts";

const NAME = "registry.ollama.ai/library/a:latest";

function remote(...names: string[]): ModelListing {
  return { remote: new Set(names), served: null };
}

function served(...names: string[]): ModelListing {
  return { remote: new Set(), served: new Map(names.map((name) => [name, [name]])) };
}

function world(answers: () => Promise<ModelListing>): {
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
    kind: "ollama",
    state: USUAL_STATE,
    spec: { id: "u1", url: "http://127.0.0.1:1" },
    running: 1,
    health: { fitness: "up", failed: (failure: string) => failures.push(failure) },
  } as unknown as Upstream;
  return { origins, upstream, asked: () => asked, pass: (ms) => void (now += ms), failures };
}

describe("where models run", () => {
  test("a busy server is asked again after a second, a quiet one for each request", async () => {
    const { origins, upstream, asked, pass } = world(async () => remote(NAME));
    expect(await origins.originOf(upstream, NAME)).toBe("elsewhere");
    expect(await origins.originOf(upstream, "other")).toBe("here");
    expect(asked()).toBe(1);
    pass(400);
    expect(origins.originOf(upstream, NAME)).toBe("elsewhere");
    expect(asked()).toBe(1);
    pass(200);
    // Used once more, and asked again in the background.
    expect(origins.originOf(upstream, NAME)).toBe("elsewhere");
    expect(asked()).toBe(2);
    await new Promise((resolve) => setImmediate(resolve));
    pass(1_000);
    expect(await origins.originOf(upstream, NAME)).toBe("elsewhere");
    expect(asked()).toBe(3);
    (upstream as { running: number }).running = 0;
    expect(await origins.originOf(upstream, NAME)).toBe("elsewhere");
    expect(asked()).toBe(4);
  });

  test("after a change nothing old is used, whether held or on its way", async () => {
    let answer = remote();
    const waiting: (() => void)[] = [];
    const { origins, upstream } = world(async () => {
      const then = answer;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return then;
    });
    const first = origins.originOf(upstream, NAME);
    answer = remote(NAME);
    origins.noteChange([upstream]);
    waiting.shift()!();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    waiting.shift()!();
    expect(await first).toBe("elsewhere");
    origins.noteChange([upstream]);
    const again = origins.originOf(upstream, NAME);
    expect(again).toBeInstanceOf(Promise);
    await new Promise((resolve) => setImmediate(resolve));
    waiting.shift()!();
    expect(await again).toBe("elsewhere");
  });

  test("a server that cannot be asked is unknown, and is not chosen", async () => {
    const { origins, upstream, failures } = world(async () => {
      throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    });
    expect(await origins.originOf(upstream, NAME)).toBe("unknown");
    expect(failures).toContain("unreachable");
  });

  test("the first of several servers that answers decides", async () => {
    const { origins, upstream } = world(async () => remote(NAME));
    const silent = {
      kind: "ollama",
      state: USUAL_STATE,
      spec: { id: "u2", url: "http://127.0.0.1:2" },
      running: 0,
      health: { fitness: "up" },
    } as unknown as Upstream;
    const slow = new ModelOrigins({ now: () => 0, monotonic: () => 0 } as Clock, (asked) =>
      asked === silent ? new Promise(() => undefined) : Promise.resolve(remote(NAME)),
    );
    expect(await slow.originOnAny([silent, upstream], NAME)).toBe("elsewhere");
    expect(await origins.originOnAny([upstream], NAME)).toBe("elsewhere");
  });

  test("a server that does not serve the name does not decide for one that does", async () => {
    const other = {
      kind: "openai",
      state: USUAL_STATE,
      spec: { id: "u2", url: "http://127.0.0.1:2" },
      running: 0,
      health: { fitness: "up" },
    };
    const list = async ({ spec }: Upstream): Promise<ModelListing> => (spec.id === "u2" ? served("b") : served(NAME));
    const both = new ModelOrigins({ now: () => 0, monotonic: () => 0 } as Clock, list);
    const { upstream } = world(async () => served());
    const all = [other as unknown as Upstream, upstream];
    expect(await both.originOnAny(all, NAME)).toBe("here");
    expect(await both.originOnAny(all, "c")).toBe("absent");
    expect([...upstream.served!.keys()]).toEqual([NAME]);
  });

  test("what one environment is denied says nothing of another, and a drained server is not asked", async () => {
    const { upstream } = world(async () => remote());
    const state = { ...USUAL_STATE, credential: new Secret("c") };
    const known = Object.assign(Object.create(upstream), { environment: "prod", state }) as Upstream;
    const isDrained = { ...USUAL_STATE, isDrained: true };
    const drained = Object.assign(Object.create(upstream), { state: isDrained }) as Upstream;
    const asked: unknown[] = [];
    const origins = new ModelOrigins({ now: () => 0, monotonic: () => 0 } as Clock, async (one) => {
      asked.push(one.environment);
      if (one.state.credential === null) throw new ListingUnavailable("status 401");
      return served(NAME);
    });
    expect(await Promise.all([origins.originOf(upstream, NAME), origins.originOf(known, NAME)])).toEqual([
      "unlisted",
      "here",
    ]);
    asked.length = 0;
    expect(await origins.originOnAny([drained], NAME)).toBe("unknown");
    expect(asked).toEqual([]);
  });

  test("a server whose list cannot be read is told from one that cannot be reached", async () => {
    const { origins, upstream } = world(async () => {
      throw new ListingUnavailable("status 401");
    });
    expect(await origins.originOf(upstream, NAME)).toBe("unlisted");
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
  expect([...(readRemoteModels(text) ?? [])]).toEqual(names);
});

test.each([
  ['{"object":"list","data":[{"id":"a"},{"id":"A"}]}', [[NAME, ["a", "A"]]]],
  ['{"data":[{"id":"../models/x.gguf"},{"id":1},null,{"name":"a"}]}', []],
  ['{"data":[{"id":"Org/Model-7B"}]}', [["registry.ollama.ai/org/model-7b:latest", ["Org/Model-7B"]]]],
  ['{"data":{}}', undefined],
  ["<html>", undefined],
])("%s serves %j", (text, names) => {
  expect(readServedNames(text) && [...readServedNames(text)!]).toEqual(names);
});
