/**
 * Ollama's own dialect: NDJSON lines, or one object where nothing is streamed. Tokens until a line with `done:true` and its
 * counts, or progress until `status:"success"`. What only a stronger right may ask for is taken out of what comes back.
 */
import { AnswerRejected } from "./answer.ts";
import type { AnswerEnd } from "./answer.ts";
import { isRemoteEntry } from "../upstream/listed-models.ts";
import { Collected } from "./collected.ts";
import { FramedAnswer, count, parseObject } from "./framed-answer.ts";
import { cleanErrorWords } from "./upstream-error.ts";
import type { Usage } from "./usage.ts";

const LF = 0x0a;

// Inside a JSON string a quote is always escaped, so these bytes stand only where they are really keys.
const TOKENS = /"done"\s*:\s*true|"error"\s*:|signin_url|"(?:context|_debug_info|remote_host|remote_model)"\s*:/;
const PROGRESS = /"status"\s*:\s*"success"|"error"\s*:|signin_url/;

/** What the caller may see of an answer, and whether the model may be a remote one. */
export interface AnswerRights {
  /** `infer:override` or `debug:render`: `context` is token ids, from which the hidden prompt and template are decoded. */
  readonly maySeeContext: boolean;
  /** `debug:render`: the rendered prompt. */
  readonly maySeeRendered: boolean;
  /** The request was decided as one for a remote model. */
  readonly mayBeRemote: boolean;
}

export class NativeStream extends FramedAnswer {
  readonly #isProgress: boolean;
  readonly #rights: AnswerRights;

  constructor(isProgress: boolean, rights: AnswerRights) {
    super();
    this.#isProgress = isProgress;
    this.#rights = rights;
    this.interest = isProgress ? PROGRESS : TOKENS;
  }

  protected readonly interest: RegExp;

  /** A chunk nearly always ends with a line: looked at first. */
  protected endOfWhole(block: Buffer): number {
    return block[block.length - 1] === LF ? block.length : block.lastIndexOf(LF) + 1;
  }

  protected endOfFrame(text: string, start: number): number {
    const mark = text.indexOf("\n", start);
    return mark < 0 ? text.length : mark + 1;
  }

  /** A whole object whose line end is missing gets it; half of one is not shown. */
  protected unfinished(frame: Buffer): Buffer | null {
    return parseObject(frame.toString("utf8")) === undefined ? null : Buffer.concat([frame, Buffer.from("\n")]);
  }

  protected frame(text: string): string {
    const line = parseObject(text);
    // It may contain withheld data and cannot be checked; no client could read it either.
    if (!line) return "";
    if (this.#isProgress ? line["status"] === "success" : line["done"] === true) {
      this.isWhole = true;
      if (!this.#isProgress) this.#readCounts(line);
    }
    if (line["error"] !== undefined) this.hasError = true;
    // The name stood for a local model a moment ago, and the server has answered from elsewhere.
    if (!this.#isProgress && !this.#rights.mayBeRemote && isRemoteEntry(line))
      throw new AnswerRejected("cloud_denied", "the answer comes from a remote model");
    const isCleaned = line["error"] !== undefined && cleanErrorWords(line);
    return this.#withhold(line) || isCleaned ? `${JSON.stringify(line)}\n` : text;
  }

  /** True where something was taken out. */
  #withhold(line: Record<string, unknown>): boolean {
    // Anyone who opens that link attaches the server's key to their account.
    let isChanged = deleteEverywhere(line, "signin_url");
    if (!this.#isProgress && !this.#rights.maySeeContext) isChanged = deleteField(line, "context") || isChanged;
    if (!this.#isProgress && !this.#rights.maySeeRendered) isChanged = deleteField(line, "_debug_info") || isChanged;
    return isChanged;
  }

  #readCounts(line: Record<string, unknown>): void {
    if (line["prompt_eval_count"] === undefined && line["eval_count"] === undefined) return;
    this.usage = {
      inputTokens: count(line["prompt_eval_count"]),
      outputTokens: count(line["eval_count"]),
      isEstimated: false,
      ...workedMsOf(line),
    };
  }
}

/** The same for an answer in one object, which is shown whole because its length changes. */
export class NativeObject extends Collected {
  readonly #rights: AnswerRights;

  constructor(rights: AnswerRights) {
    super();
    this.#rights = rights;
  }

  protected endWith(whole: Buffer): AnswerEnd {
    const lines = new NativeStream(false, this.#rights);
    const first = lines.push(onOneLine(whole));
    const end = lines.end();
    const shown = Buffer.concat([first, end.last].filter((part) => part !== null));
    return { ...end, last: shown.length > 0 ? shown : null };
  }
}

/** An object that is written over several lines is looked at as one: between its members a line break means nothing. */
function onOneLine(whole: Buffer): Buffer {
  if (whole.subarray(0, -1).indexOf(LF) < 0) return whole;
  const text = whole.toString("utf8");
  return parseObject(text) ? Buffer.from(text.replaceAll("\n", " ")) : whole;
}

/** Ollama reports durations in nanoseconds; other servers of its dialect report none. */
function workedMsOf(line: Record<string, unknown>): Pick<Usage, "workedMs" | "promptMs"> {
  if (line["eval_duration"] === undefined && line["prompt_eval_duration"] === undefined) return {};
  const promptMs = (count(line["load_duration"]) + count(line["prompt_eval_duration"])) / 1e6;
  return { workedMs: promptMs + count(line["eval_duration"]) / 1e6, promptMs };
}

function deleteField(line: Record<string, unknown>, name: string): boolean {
  return line[name] !== undefined && delete line[name];
}

/** Takes the member out wherever it stands; the nesting was bounded when the text was read. */
export function deleteEverywhere(value: unknown, name: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  let isChanged = false;
  if (Object.hasOwn(value, name)) {
    delete (value as Record<string, unknown>)[name];
    isChanged = true;
  }
  for (const inner of Object.values(value)) isChanged = deleteEverywhere(inner, name) || isChanged;
  return isChanged;
}
