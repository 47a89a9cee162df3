import { expect, test } from "vitest";
import { formatKeyText } from "@sallyport/protocol";
import { parsePlace, placeText } from "./address.ts";

const KEY = formatKeyText("sp", "dev", "4vJ9Qm2LxT8c", "s".repeat(43));

test("page and filters come back as they were", () => {
  const place = { path: "keys", filters: { environment: "prod", search: "a & b=c #d" } };
  expect(parsePlace(placeText(place.path, { ...place.filters, after: "", state: undefined }))).toEqual(place);
});

test.each([
  ["a filter", placeText("live", { key: ` ${KEY}` })],
  ["a filter with a shortened key", placeText("keys", { search: KEY.slice(0, 30) })],
  ["the page", placeText(`keys/${KEY}`)],
])("a key that was pasted into %s leaves its id alone in the address", (_, text) => {
  expect(text).toContain("4vJ9Qm2LxT8c");
  expect(text).not.toContain("sss");
});
