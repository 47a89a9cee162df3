/**
 * Strict YAML: one document of plain values. Duplicate keys, aliases, merge keys, unknown tags and keys that are not
 * text are rejected, because each is a way to read one thing and mean another.
 */
import { isAlias, isMap, isScalar, LineCounter, parseDocument, visit } from "yaml";
import type { Document, Node } from "yaml";

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
    // The library walks nested values by calling itself: what is nested beyond its stack is beyond ours by far.
    if (!(cause instanceof RangeError)) throw cause;
    return { value: undefined, mistakes: [`1:1 nested more than ${DEPTH_MAX} levels`], place: () => "1:1" };
  }
}

function readDocument(text: string): YamlRead {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Looked for below: the library compares each key with every other, which is quadratic in a hostile text.
    uniqueKeys: false,
    version: "1.2",
    merge: false,
  });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  const found: { offset: number; says: string }[] = [...document.errors, ...document.warnings].map((error) => ({
    offset: error.pos[0],
    says: error.message,
  }));
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
