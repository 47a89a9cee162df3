/**
 * How long each kind of record is kept. Requests, served or denied, are many and are removed early; model management,
 * administration and security are what an auditor asks for a year later. Reads of the audit log are between them: they
 * are kept as long as acts, and make room with the requests, so that reading cannot push out evidence.
 */
export type RecordClass = "request" | "read" | "act";

export function recordClassOf(type: string): RecordClass {
  if (type.startsWith("request.")) return "request";
  return type === "audit.read" ? "read" : "act";
}
