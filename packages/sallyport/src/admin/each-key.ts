/** Walks keys page by page, so that a million of them are never held at once. */
import type { KeyRecord } from "../keys/key.ts";
import type { AdminPorts } from "./ports.ts";

const PAGE = 500;

/** In the store's order: environment, then id. `after` is the `environment/id` before the first. */
export function* eachKey(
  ports: Pick<AdminPorts, "listKeys">,
  filter: { environment?: string; owner?: string; after?: string },
): Generator<KeyRecord> {
  let position = filter;
  for (;;) {
    const page = ports.listKeys({ ...position, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    position = { ...filter, after: `${last.environment}/${last.id}` };
  }
}
