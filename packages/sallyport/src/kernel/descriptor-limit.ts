/** How many files and sockets the system lets this process have open, and how they are divided. */
import { readFileSync } from "node:fs";

/** Where the system does not say: what is usual at the least. */
const UNKNOWN = 1_024;
/** For the database, the audit log, log-ins elsewhere, and whatever else is open for a moment. */
const FILES = 128;
/** More connections than these would cost more memory than they are worth. */
const DATA_MAX = 10_000;
const ADMIN_MAX = 1_024;
/** Of the operating-system user only, on the gateway host. */
const LOCAL_ADMIN_MAX = 64;

export interface ConnectionBounds {
  readonly data: number;
  readonly admin: number;
  readonly adminSocket: number;
}

/** A request on the data plane needs a second socket, to its model server: so the data plane gets half of what is left. */
export function divideDescriptors(limit: number): ConnectionBounds {
  const adminSocket = Math.min(LOCAL_ADMIN_MAX, Math.max(4, Math.floor(limit / 16)));
  const admin = Math.min(ADMIN_MAX, Math.max(4, Math.floor(limit / 16)));
  const left = limit - FILES - admin - adminSocket;
  return { data: Math.min(DATA_MAX, Math.max(16, Math.floor(left / 2))), admin, adminSocket };
}

export function readDescriptorLimit(): number {
  try {
    const line = /^Max open files +(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "latin1"));
    if (line) return line[1] === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(line[1]);
  } catch {
    // Not Linux: the process' own report says it, at a higher price.
  }
  const report = process.report.getReport() as unknown as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = report.userLimits?.open_files?.soft;
  if (soft === "unlimited") return Number.MAX_SAFE_INTEGER;
  return typeof soft === "number" && soft > 0 ? soft : UNKNOWN;
}
