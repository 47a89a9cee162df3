import { expect, it } from "vitest";
import { homeDirectory } from "./home-directory.ts";

it("is an absolute path or none", () => {
  expect(homeDirectory(() => "/home/ada")).toBe("/home/ada");
  expect(homeDirectory(() => "")).toBeUndefined();
  expect(homeDirectory(() => "ada")).toBeUndefined();
  expect(
    homeDirectory(() => {
      throw new Error("uv_os_homedir returned ENOENT");
    }),
  ).toBeUndefined();
});
