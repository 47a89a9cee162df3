/** Questions to a person at a terminal: one asks again until the answer can be used. `Cancelled` comes through. */
import { nearest } from "@sallyport/protocol";
import { visibleLine } from "../../kernel/visible-text.ts";
import type { Io } from "./io.ts";
import { command, heading, warning } from "./styled-line.ts";

/** What an answer means, or the mistake in it. */
export type ReadAnswer<T> = { readonly value: T } | { readonly mistake: string };

export interface Choice {
  readonly value: string;
  /** What it means, in words. */
  readonly says?: string;
}

/** Longer lists scroll the question away; what is not listed can be typed. */
const LISTED_MAX = 40;

export async function askUntil<T>(
  io: Pick<Io, "ask" | "err">,
  question: string,
  understand: (text: string) => ReadAnswer<T>,
): Promise<T> {
  for (;;) {
    const understood = understand(await io.ask(`${question}: `));
    if ("value" in understood) return understood.value;
    io.err([warning("again:"), ` ${understood.mistake}`]);
  }
}

export async function askYes(io: Pick<Io, "ask">, question: string): Promise<boolean> {
  return /^y(es)?$/i.test(await io.ask(`${question} [y/N] `));
}

/** One of them, by number or text; Enter takes the first. */
export async function chooseOne(
  io: Pick<Io, "ask" | "err">,
  title: string,
  choices: readonly Choice[],
): Promise<string> {
  list(io, title, choices);
  return askUntil(io, `Number or name [${visibleLine(choices[0]?.value ?? "")}]`, (text) => {
    const chosen = find(text === "" ? "1" : text, choices);
    return "mistake" in chosen ? chosen : { value: chosen.value };
  });
}

/** At least one of them. Text that is no choice counts only where `isOther` accepts it. */
export async function chooseSome(
  io: Pick<Io, "ask" | "err">,
  title: string,
  choices: readonly Choice[],
  isOther: (text: string) => boolean = () => false,
): Promise<readonly string[]> {
  list(io, title, choices);
  return askUntil(io, "Numbers or names, comma-separated", (text) => {
    const words = text.split(",").map((word) => word.trim()).filter((word) => word !== ""); // prettier-ignore
    if (words.length === 0) return { mistake: "choose at least one" };
    const values: string[] = [];
    for (const word of words) {
      const chosen = find(word, choices);
      if ("value" in chosen) values.push(chosen.value);
      else if (isOther(word)) values.push(word);
      else return chosen;
    }
    return { value: [...new Set(values)] };
  });
}

function list(io: Pick<Io, "err">, title: string, choices: readonly Choice[]): void {
  io.err("");
  io.err([heading(title)]);
  const listed = choices.slice(0, LISTED_MAX);
  const width = Math.max(0, ...listed.map(({ value }) => visibleLine(value).length));
  for (const [at, { value, says = "" }] of listed.entries()) {
    const name = visibleLine(value);
    const number = String(at + 1).padStart(String(listed.length).length);
    io.err([`  ${number}  `, command(name), says === "" ? "" : " ".repeat(width - name.length + 2), says]);
  }
  if (choices.length > listed.length) io.err(`  and ${choices.length - listed.length} more, which you can type`);
}

/** A name goes before a number: a model may be called `3`. */
function find(word: string, choices: readonly Choice[]): ReadAnswer<string> {
  const named = choices.find(({ value }) => value === word);
  if (named) return { value: named.value };
  const numbered = /^[1-9][0-9]{0,5}$/.test(word) ? choices.slice(0, LISTED_MAX)[Number(word) - 1] : undefined;
  if (numbered) return { value: numbered.value };
  const near = nearest(word, choices.map(({ value }) => value)); // prettier-ignore
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return { mistake: `${JSON.stringify(word)} is not in the list${hint}` };
}
