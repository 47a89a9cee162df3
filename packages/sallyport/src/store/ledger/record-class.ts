/**
 * How long what kind of record is kept. Requests, served or refused, are many and end early; what was done to models,
 * and administration and security, is what somebody asks for a year later. Reads of the audit log are between them: they
 * are kept as long as acts, and make room with the requests, so that nobody pushes out evidence by reading.
 */
export type RecordClass = "request" | "read" | "act";

export function recordClassOf(type: string): RecordClass {
  if (type.startsWith("request.")) return "request";
  return type === "audit.read" ? "read" : "act";
}
