import { nestsBeyond } from "@sallyport/protocol";

/** Arrays and objects inside one another. A record has three levels, an exported row four. */
const DEPTH_MAX = 16;
/** A shorter text takes well under a millisecond, however it is nested. */
const SHORT = 4_096;

/**
 * Reads JSON that a hostile hand may have written to a disk or a file. Undefined where it is no JSON, and where it is
 * nested more than 16 levels: `JSON.parse` takes 70 to 190 ms for a megabyte of `[`.
 */
export function parseShallowJson(text: string): unknown {
  if (text.length > SHORT && nestsBeyond(text, DEPTH_MAX)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
