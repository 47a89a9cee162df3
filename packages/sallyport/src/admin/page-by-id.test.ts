import fc from "fast-check";
import { expect, it } from "vitest";
import { LongWork } from "../kernel/long-work.ts";
import { OrderedMap } from "../kernel/ordered-map.ts";
import { pageById } from "./page-by-id.ts";

it("the pages together are what is asked for, in order of ids, each once", async () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(ids, fc.integer({ min: 1, max: 7 }), async (all, limit) => {
      const values = OrderedMap.of(all.map((id) => [id, { id }]));
      const isAsked = ({ id }: { readonly id: string }): boolean => id.length !== 2;
      const paged: string[] = [];
      for (let after: string | undefined; ;) {
        const { page, next } = await pageById(values, { after, limit }, isAsked, new LongWork());
        expect(page.length).toBeLessThanOrEqual(limit);
        paged.push(...page.map(({ id }) => id));
        if (next === null) break;
        after = next;
      }
      // As the database and `<` order texts: by code units.
      const wanted = all.filter((id) => id.length !== 2);
      wanted.sort((a, b) => (a < b ? -1 : 1));
      expect(paged).toEqual(wanted);
    }),
  );
});

it("a page has a bound where none is asked for", async () => {
  const ids = Array.from({ length: 1_500 }, (_, n) => String(n).padStart(5, "0"));
  const values = OrderedMap.of(ids.map((id) => [id, { id }]));
  const { page, next } = await pageById(values, {}, () => true, new LongWork());
  expect(page).toHaveLength(1_000);
  expect(next).toBe("00999");
});
