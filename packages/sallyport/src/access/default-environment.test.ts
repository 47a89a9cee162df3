import { expect, test } from "vitest";
import { environmentDefaults } from "./default-environment.ts";
import { readPolicy } from "./policy-file.ts";

test("an environment made by the program is what a file's empty entry stands for", () => {
  const read = readPolicy({ environments: { dev: {} } });
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  expect(read.policy.environments).toEqual([{ ...environmentDefaults, name: "dev", upstreams: [] }]);
});
