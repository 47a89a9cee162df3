/**
 * An answer as JSON text, in the contract's shape. Its lists are read and written an element at a time, in slices: a
 * thousand records in one piece would hold the thread longer than any request may wait.
 */
import { answerLists } from "@sallyport/contract";
import type { ContractRow } from "@sallyport/contract";
import { LongWork } from "../kernel/long-work.ts";

/** Throws where the answer is not of its shape. What the shape does not name does not leave. */
export async function writeAnswer(
  shape: ContractRow["answer"],
  answer: unknown,
  work = new LongWork(),
): Promise<string> {
  const lists = answerLists(shape);
  const given = answer as Readonly<Record<string, unknown>>;
  const texts = new Map<string, string>();
  const rest: Record<string, unknown> = { ...given };
  for (const [name, element] of lists) {
    const list = given[name];
    if (!Array.isArray(list)) continue;
    const parts: string[] = [];
    await work.each(list as unknown[], (one) => parts.push(JSON.stringify(element.parse(one))));
    texts.set(name, `[${parts.join(",")}]`);
    const resting = work.rest();
    if (resting) await resting;
    rest[name] = [];
  }
  const whole = shape.parse(rest);
  if (texts.size === 0) return JSON.stringify(whole);
  const members = Object.entries(whole as object).flatMap(([name, value]: [string, unknown]) => {
    const text = texts.get(name) ?? JSON.stringify(value);
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`];
  });
  return `{${members.join(",")}}`;
}
