/** What questions of pages are about, by their first word: a question is asked again when records of these kinds change. */
import type { ChangedKind } from "@sallyport/contract";

const KINDS = {
  activity: ["activity"],
  alerts: ["alerts"],
  assignments: ["people", "policy"],
  audit: ["audit"],
  environments: ["policy"],
  findings: ["findings", "keys", "policy", "people"],
  incident: ["incidents", "keys"],
  incidents: ["incidents"],
  key: ["keys"],
  keys: ["keys", "people"],
  leaks: ["leaks"],
  line: ["reviews"],
  lines: ["reviews"],
  people: ["people"],
  // It is asked again while it is being made.
  plan: [],
  policy: ["policy"],
  // A record never changes.
  record: [],
  restore: [],
  review: ["reviews"],
  reviews: ["reviews"],
  roles: ["policy"],
  servers: ["policy"],
  session: [],
  sized: ["keys"],
  status: ["activity", "keys"],
  // Counted by day: asked when the page is opened.
  usage: [],
  week: [],
} as const satisfies Readonly<Record<string, readonly ChangedKind[]>>;

type Topic = keyof typeof KINDS;
/** `keys`, `key 4vJ9Qm2LxT8c`. */
export type Question = Topic | `${Topic} ${string}`;

/** `changed`: as the gateway says it; a newer one has kinds that are not known here. */
export function isAbout(question: Question, changed: readonly string[]): boolean {
  const [topic] = question.split(" ", 1) as [Topic];
  const kinds: readonly string[] = KINDS[topic];
  return kinds.some((kind) => changed.includes(kind));
}
