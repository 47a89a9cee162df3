/**
 * How long what kind of record is kept. Requests, served or refused, are many and end early; what was done to models,
 * and administration and security, is what somebody asks for a year later.
 */
export type RecordClass = "request" | "act";

export function recordClassOf(type: string): RecordClass {
  return type.startsWith("request.") ? "request" : "act";
}
