/**
 * Strict YAML: one document of plain values. Duplicate keys, aliases, merge keys, unknown tags and keys that are not
 * text are rejected, because each is a way to read one thing and mean another.
 */
import { Composer, Document, isAlias, isMap, isScalar, LineCounter, Parser, visit } from "yaml";
import type { CST, Node } from "yaml";

export type YamlPath = readonly (string | number)[];

export interface YamlRead {
  /** Plain values; undefined when there are mistakes. Maps have no prototype. */
  readonly value: unknown;
  /** `line:column message`, in order of place. */
  readonly mistakes: readonly string[];
  /** `line:column` of the value at the path, or of the nearest thing around it that is there. */
  place(path: YamlPath): string;
}

const DEPTH_MAX = 32;
/** Enough to know that the text is wrong: a hostile one has as many as it has characters. */
const MISTAKES_MAX = 1_000;

export function readYaml(text: string): YamlRead {
  try {
    return readDocument(text);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    return { value: undefined, mistakes: [`1:1 nested more than ${DEPTH_MAX} levels`], place: () => "1:1" };
  }
}

function readDocument(text: string): YamlRead {
  const lines = new LineCounter();
  const [document, second] = composeDocuments(text, lines);
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const found: { offset: number; says: string }[] = [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    says: error.message,
  }));
  if (second) found.push({ offset: second.range[0], says: "a second document begins here" });
  visit(document, (_key, node, path) => {
    const offset = offsetOf(node);
    if (isAlias(node)) found.push({ offset, says: "aliases are not accepted" });
    if (path.length > DEPTH_MAX * 2) {
      found.push({ offset, says: `nested more than ${DEPTH_MAX} levels` });
      return visit.BREAK;
    }
    if (found.length > MISTAKES_MAX) return visit.BREAK;
    if (isMap(node)) {
      const names = new Set<string>();
      for (const { key } of node.items) {
        if (isScalar(key) && typeof key.value === "string") {
          if (names.has(key.value)) found.push({ offset: offsetOf(key), says: "this key comes twice" });
          names.add(key.value);
        }
        if (!isScalar(key) || typeof key.value !== "string")
          found.push({ offset: offsetOf(key), says: "a key must be plain text" });
        else if (key.value === "__proto__") found.push({ offset: offsetOf(key), says: "this key is not accepted" });
      }
    }
    return undefined;
  });
  found.sort((a, b) => a.offset - b.offset);
  return {
    value: found.length > 0 ? undefined : plain(document.contents),
    mistakes: found.map(({ offset, says }) => `${at(offset)} ${says}`),
    place: (path) => at(offsetNear(document, path)),
  };
}

/** The document, and the next one if there is one. Throws a RangeError for a text that is nested too deep. */
function composeDocuments(text: string, lines: LineCounter): readonly [Document.Parsed, Document.Parsed | undefined] {
  const composer = new Composer({
    prettyErrors: false,
    // Looked for later: the library compares each key with every other, which is quadratic in a hostile text.
    uniqueKeys: false,
    version: "1.2",
    merge: false,
  });
  const tokens = withinDepth(new Parser(lines.addNewLine).parse(text));
  const documents: Document.Parsed[] = [];
  for (const document of composer.compose(tokens, true, text.length)) if (documents.push(document) === 2) break;
  return [documents[0]!, documents[1]];
}

/**
 * The library composes nested tokens by calling itself. Near the end of the stack V8 does not always throw: where it
 * compiles a pattern there, it ends the process. So the depth is measured first, without a call for each level.
 */
function* withinDepth(tokens: Iterable<CST.Token>): Iterable<CST.Token> {
  for (const token of tokens) {
    const open: [token: object, depth: number][] = [[token, 0]];
    for (let next = open.pop(); next; next = open.pop()) {
      const [value, depth] = next;
      if (depth > DEPTH_MAX * 4) throw new RangeError(`nested more than ${DEPTH_MAX} levels`);
      for (const inner of innerTokens(value)) open.push([inner, depth + 1]);
    }
    yield token;
  }
}

function* innerTokens(token: object): Iterable<object> {
  const { value, items = [] } = token as { value?: unknown; items?: readonly CST.CollectionItem[] };
  if (typeof value === "object" && value !== null) yield value;
  for (const item of items) {
    if (item.key) yield item.key;
    if (item.value) yield item.value;
  }
}

function plain(node: unknown): unknown {
  if (isScalar(node)) return node.value;
  if (isMap(node)) {
    const made = Object.create(null) as Record<string, unknown>;
    for (const { key, value } of node.items) if (isScalar(key)) made[String(key.value)] = plain(value);
    return made;
  }
  if (typeof node === "object" && node !== null && "items" in node && Array.isArray(node.items))
    return node.items.map(plain);
  return null;
}

function offsetNear(document: Document, path: YamlPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (typeof node === "object" && node !== null && "range" in node) return offsetOf(node);
  }
  return 0;
}

function offsetOf(node: unknown): number {
  return (typeof node === "object" && node !== null && "range" in node ? (node as Node).range?.[0] : undefined) ?? 0;
}

/** Plain values as YAML that `readYaml` reads back as they were; lists of a few plain values are on one line. */
export function writeYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Seq: (_, list) => {
      const isPlain = list.items.every((item) => isScalar(item));
      if (isPlain && JSON.stringify(list.toJSON()).length <= LINE_LENGTH) list.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Of a list on one line. */
const LINE_LENGTH = 80;
