import { expect, test } from "vitest";
import { sayRefusedBySystem } from "./refused-by-system.ts";

test.each([
  [{ code: "EROFS", path: "/d" }, "/d is on a read-only disk"],
  [{ code: "ENOENT", syscall: "mkdir", path: "/d" }, "/d cannot be made: the disk is read-only"],
  [{ code: "ENOENT", syscall: "open", path: "/d" }, "there is no /d"],
  [{ code: "EEXIST", syscall: "mkdir", path: "/d" }, "/d cannot be made: there is a file in its place or above it"],
  [{ code: "EEXIST", syscall: "link", path: "/d" }, undefined],
  [{ code: "ENOSPC", path: "/d" }, "no space left for /d"],
  [{ code: "ERR_SQLITE_ERROR", errcode: 13 }, "no space left for the database"],
  [
    { code: "ERR_SQLITE_ERROR", errcode: 1_032 },
    "the database cannot be written: the disk is read-only, or the database belongs to another user",
  ],
  [{ code: "ERR_SQLITE_ERROR", errcode: 1 }, undefined],
])("%j is said in words, with a remedy", (fields, what) => {
  const said = sayRefusedBySystem(Object.assign(new Error("x"), fields));
  expect(said?.what).toBe(what);
  if (said) expect(said.remedy).not.toBe("");
});

test("what is none of the system's is not said", () => {
  expect(sayRefusedBySystem(new Error("x"))).toBeUndefined();
  expect(sayRefusedBySystem("x")).toBeUndefined();
});
