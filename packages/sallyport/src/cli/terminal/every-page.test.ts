import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AdminClient } from "@sallyport/client";
import { expect, it } from "vitest";
import { allAssignments, allKeys, allPrincipals } from "./every-page.ts";

/** Three pages; the last one is empty, as where the rest was deleted meanwhile. */
function pagesOf(name: string) {
  const asked: unknown[] = [];
  const call = async (_route: string, { query }: { query: { after?: string } }) => {
    asked.push(query.after);
    if (query.after === undefined) return { [name]: [1, 2], next: "2" };
    return query.after === "2" ? { [name]: [3], next: "3" } : { [name]: [], next: null };
  };
  return { client: { call } as unknown as AdminClient, asked };
}

it.each([
  ["keys", allKeys],
  ["principals", allPrincipals],
  ["assignments", allAssignments],
] as const)("%s are read to the last page", async (name, every) => {
  const { client, asked } = pagesOf(name);
  expect(await every(client)).toEqual([1, 2, 3]);
  expect(asked).toEqual([undefined, "2", "3"]);
});

it("no command reads a list of pages in another way; completion shows its beginning only", () => {
  const cli = join(import.meta.dirname, "..");
  const elsewhere = readdirSync(cli, { recursive: true, encoding: "utf8" }).filter(
    (file) =>
      file.endsWith(".ts") &&
      !file.endsWith(".test.ts") &&
      /"(?:keys|principals|assignments)\.list", |\/v1\/(?:keys|principals|assignments)\?/.test(
        readFileSync(join(cli, file), "utf8"),
      ),
  );
  expect(elsewhere.toSorted()).toEqual([join("terminal", "completion-values.ts"), join("terminal", "every-page.ts")]);
});
