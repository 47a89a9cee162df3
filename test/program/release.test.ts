/** The release workflow and the formula name what the checkout has; nothing gets more rights than its job needs. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";

const root = join(import.meta.dirname, "../..");
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");

interface Job {
  readonly needs?: string | readonly string[];
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly { readonly uses?: string; readonly run?: string; readonly with?: object }[];
}
const workflow = parse(textOf(".github/workflows/release.yml")) as {
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
};
const jobs = Object.entries(workflow.jobs);
const scripts = jobs
  .flatMap(([, { steps }]) => steps.flatMap(({ run }) => (run === undefined ? [] : [run])))
  .join("\n");

it("runs files and scripts that there are", () => {
  const files = [...scripts.matchAll(/(?:node |--file )?((?:tools|deploy|\.ci)\/[\w./-]+)/g)].map((one) => one[1]!);
  expect(files).toEqual(
    expect.arrayContaining([".ci/run", "tools/make-deb.js", "tools/make-man.js", "deploy/Dockerfile"]),
  );
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  const known = Object.keys((JSON.parse(textOf("package.json")) as { scripts: object }).scripts);
  const used = [...scripts.matchAll(/npm run (\S+)/g)].map((one) => one[1]!);
  expect(used.filter((name) => !known.includes(name))).toEqual([]);
});

it("publishes every package, with provenance, and only after the tests", () => {
  const { workspaces } = JSON.parse(textOf("package.json")) as { workspaces: string[] };
  const names = /for name in ([\w ]+);/.exec(scripts)![1]!.split(" ");
  // The console is built into the program's package.
  const published = workspaces.filter((one) => !("private" in (JSON.parse(textOf(`${one}/package.json`)) as object)));
  expect([...names, "sallyport"].toSorted()).toEqual(published.map((one) => one.replace("packages/", "")).toSorted());
  expect(scripts.match(/npm publish(?! --provenance)/g)).toBeNull();
  expect([workflow.jobs["build"]!.needs, workflow.jobs["npm"]!.needs, workflow.jobs["image"]!.needs]).toEqual([
    "test",
    "build",
    "build",
  ]);
});

it("gives each job the rights it needs, and approval before anything is published", () => {
  expect(workflow.permissions).toEqual({ contents: "read" });
  const writers = jobs.filter(([, { permissions = {} }]) => Object.values(permissions).includes("write"));
  expect(writers.map(([name, { environment, permissions }]) => [name, environment, permissions])).toEqual([
    ["npm", "release", { contents: "read", "id-token": "write" }],
    ["image", "release", { contents: "read", packages: "write" }],
    ["page", "release", { contents: "write" }],
  ]);
  for (const [name, job] of jobs) {
    expect([name, (job["timeout-minutes"] ?? 0) > 0]).toEqual([name, true]);
    for (const { uses, with: given } of job.steps) {
      expect(uses ?? "actions/").toMatch(/^actions\//);
      if (uses?.startsWith("actions/checkout")) expect(given).toEqual({ "persist-credentials": false });
    }
  }
  // A name that somebody chose never becomes part of a script.
  expect(scripts).not.toMatch(/\$\{\{/);
});

it("the formula is of this version", () => {
  const { version } = JSON.parse(textOf("package.json")) as { version: string };
  expect(textOf("deploy/sallyport.rb")).toContain(`sallyport-${version}.tgz`);
});
