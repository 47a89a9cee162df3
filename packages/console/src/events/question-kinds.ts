/** Which kinds of record a question of a page is about, by its first word: it is asked again when they change. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  keys: ["keys", "people"],
  key: ["keys"],
  findings: ["findings", "keys", "policy", "people"],
  incidents: ["incidents"],
  alerts: ["alerts"],
  leaks: ["leaks"],
  reviews: ["reviews"],
  review: ["reviews"],
  lines: ["reviews"],
  audit: ["audit"],
  activity: ["activity"],
  status: ["activity", "keys"],
  environments: ["policy"],
  roles: ["policy"],
  policy: ["policy"],
  people: ["people"],
};

export function isAbout(question: string, changed: readonly string[]): boolean {
  const [word = ""] = question.split(" ", 1);
  return Object.hasOwn(KINDS, word) && KINDS[word]!.some((kind) => changed.includes(kind));
}
