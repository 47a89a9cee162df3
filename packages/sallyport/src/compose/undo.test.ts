import { expect, test } from "vitest";
import { Undo } from "./undo.ts";

test("parts are closed in reverse, each once, whatever the others do", async () => {
  const closed: string[] = [];
  const failed: unknown[] = [];
  const undo = new Undo({ error: (fields: { what: string }) => failed.push(fields.what) } as never, 1);
  undo.add("first", () => closed.push("first"));
  undo.add("throws", () => {
    throw new Error("broken");
  });
  undo.add("never ends", () => new Promise(() => undefined));
  undo.add("rejects", async () => {
    throw new Error("broken");
  });
  undo.add("last", () => closed.push("last"));
  await undo.all();
  await undo.all();
  expect(closed).toEqual(["last", "first"]);
  expect(failed).toEqual(["rejects", "never ends", "throws"]);
});
