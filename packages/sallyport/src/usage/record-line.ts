/** A line of the audit log, as what is counted is read from it: cheaply by its type, or parsed. */

/** Between the comma after a record's number and its type. */
const TYPE_OFFSET = `,"prev":"${"0".repeat(64)}","type":"`.length;

/** The line's members, as far as they were written by the gateway: each is checked where it is used. */
export interface ReadRecord {
  readonly type?: unknown;
  readonly at?: unknown;
  readonly environment?: unknown;
  readonly actor?: unknown;
  readonly fields?: Readonly<Record<string, unknown>> | null;
}

/** Without parsing it. */
export function isOfType(line: string, types: readonly string[]): boolean {
  const start = line.indexOf(",") + TYPE_OFFSET;
  return types.some((type) => line.startsWith(type, start) && line[start + type.length] === '"');
}

export function parseRecord(line: string): ReadRecord | undefined {
  try {
    const read: unknown = JSON.parse(line);
    return typeof read === "object" && read !== null ? read : undefined;
  } catch {
    // Damage is for `audit verify` to report.
    return undefined;
  }
}
