/** Where an administrator may point an environment, and where nobody may. */
import { describe, expect, it } from "vitest";
import { defaultEnvironment } from "./default-environment.ts";
import { everything } from "./everything.ts";
import type { AdminRight, Environment, UpstreamSpec } from "./policy.ts";
import { isListedPlace, isNeverUpstream, upstreamPlaceOf, refusePlace } from "./upstream-place.ts";
import { compileSnapshot } from "./snapshot.ts";
import { judgeUpstreams } from "./upstream-rules.ts";

const dev: AdminRight = { ...everything, environments: ["dev"] };

function environment(name: string, ...upstreams: Partial<UpstreamSpec>[]): Environment {
  return { ...defaultEnvironment, name, upstreams: upstreams.map((one, i) => ({ id: `u${i + 1}`, url: "", ...one })) };
}

const present = compileSnapshot({
  epoch: 1,
  environments: [
    environment("dev", { url: "http://127.0.0.1:1001" }),
    environment("prod", { url: "http://127.0.0.1:1002" }),
    environment("lab", { url: "http://10.0.0.3:11434", isShared: true }),
  ],
  roles: [],
  principals: [],
  assignments: [],
});

function judge(right: AdminRight, hosts: readonly string[] | null, ...upstreams: Partial<UpstreamSpec>[]) {
  const put = { op: "environment.put", environment: environment("dev", ...upstreams) } as const;
  const { mistakes, excess } = judgeUpstreams([put], present, right, hosts);
  return mistakes.length > 0 ? "mistake" : excess.length > 0 ? "excess" : "ok";
}

describe("nobody forwards to", () => {
  it.each([
    "http://169.254.169.254:80",
    "http://169.254.0.1:11434",
    "http://[fe80::1]:11434",
    "http://0.0.0.0:11434",
    "http://[::]:11434",
    "http://[::ffff:169.254.169.254]:80",
    "http://[::ffff:a9fe:a9fe]:80",
    "http://[64:ff9b::a9fe:a9fe]:80",
    "http://[2002:a9fe:a9fe::1]:80",
    "http://2852039166:80",
    "http://0xa9fea9fe:80",
    "http://0251.0376.0251.0376:80",
    "http://[fd00:ec2::254]:80",
    "http://100.100.100.200:80",
    "http://metadata.google.internal:80",
    "http://METADATA.google.internal.:80",
    "http://224.0.0.1:80",
  ])("%s", (url) => {
    expect(refusePlace(url)).toMatch(/nothing is forwarded there/);
    expect(judge(everything, null, { url })).toBe("mistake");
    expect(judge(everything, ["169.254.0.0/16", "metadata.google.internal"], { url })).toBe("mistake");
  });

  it.each(["http://127.0.0.1:11434", "http://10.1.0.5:11434", "http://[fd12::5]:11434", "http://gpu.example.org:8000"])(
    "but to %s",
    (url) => expect(refusePlace(url)).toBeUndefined(),
  );

  it("also where a name stands for it", () => {
    expect(["169.254.169.254", "::ffff:169.254.169.254", "fe80::1%eth0", "0.0.0.0"].map(isNeverUpstream)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(["127.0.0.1", "::1", "10.0.0.1"].map(isNeverUpstream)).toEqual([false, false, false]);
  });
});

describe("an administrator of one environment", () => {
  it.each<[string, readonly string[] | null, Partial<UpstreamSpec>[], string]>([
    ["keeps its server", null, [{ url: "http://127.0.0.1:1001", concurrency: 9 }], "ok"],
    ["keeps it under another name", null, [{ url: "http://localhost:1001" }], "ok"],
    ["adds none without the setting", null, [{ url: "http://10.0.0.9:11434" }], "excess"],
    ["adds one the setting names", ["10.0.0.0/24"], [{ url: "http://10.0.0.9:11434" }], "ok"],
    ["adds none beside it", ["10.0.0.0/24"], [{ url: "http://10.0.1.9:11434" }], "mistake"],
    ["does not take another's server", ["127.0.0.1"], [{ url: "http://127.0.0.1:1002" }], "excess"],
    [
      "does not take it under another name",
      ["localhost", "127.0.0.0/8", "::1"],
      [{ url: "http://[::1]:1002" }],
      "excess",
    ],
    [
      "does not take it by saying so alone",
      ["127.0.0.1"],
      [{ url: "http://127.0.0.1:1002", isShared: true }],
      "excess",
    ],
    ["shares one where both say so", ["10.0.0.3"], [{ url: "http://10.0.0.3:11434", isShared: true }], "ok"],
    ["does not share one it does not say so of", ["10.0.0.3"], [{ url: "http://10.0.0.3:11434" }], "excess"],
  ])("%s", (_what, hosts, upstreams, verdict) => {
    expect(judge(dev, hosts, ...upstreams)).toBe(verdict);
  });
});

it("an administrator of everything adds and shares servers, within the setting", () => {
  expect(judge(everything, null, { url: "http://127.0.0.1:1002" })).toBe("ok");
  expect(judge(everything, ["10.0.0.0/8"], { url: "http://127.0.0.1:1002" })).toBe("mistake");
});

it("a list names hosts, ports and networks, and a name only itself", () => {
  expect(isListedPlace("http://gpu.example.org:8000", ["gpu.example.org"])).toBe(true);
  expect(isListedPlace("http://gpu.example.org:8000", ["gpu.example.org:8001"])).toBe(false);
  expect(isListedPlace("http://evil.gpu.example.org:8000", ["gpu.example.org"])).toBe(false);
  expect(isListedPlace("http://[::1]:8000", ["[::1]:8000"])).toBe(true);
  expect(isListedPlace("http://[::1]:8000", ["::1"])).toBe(true);
  expect(upstreamPlaceOf("http://LOCALHOST:11434")).toBe(upstreamPlaceOf("http://127.9.9.9:11434"));
});
