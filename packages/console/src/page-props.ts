/** What each page is given. */
import type { Place } from "./address.ts";
import type { Presence } from "./session.ts";

export interface PageProps {
  readonly place: Place;
  readonly present: Presence;
}
