/** Unpacks gzip, zlib and zstd within a budget. What is truncated or damaged gives what can be read of it. */
import { constants, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import * as zlib from "node:zlib";
import { systemCodeOf } from "../kernel/system-code.ts";
import type { ScanBudget } from "./scan-budget.ts";

export type Compression = "gzip" | "zlib" | "zstd" | "deflate";
/** Deflate cannot do better. */
const DEFLATE_RATIO = 1_032;

type Unpack = (bytes: Buffer, options: { readonly maxOutputLength: number; readonly finishFlush?: number }) => Buffer;
/** Newer Nodes have it. */
const zstd = (zlib as unknown as Readonly<Record<string, Unpack | undefined>>)["zstdDecompressSync"];

/** By its first bytes, or undefined. */
export function compressionOf(bytes: Buffer): Compression | undefined {
  if (bytes.length < 8) return undefined;
  const [a = 0, b = 0] = bytes;
  if (a === 0x1f && b === 0x8b && bytes[2] === 8) return "gzip";
  if (a === 0x78 && (a * 256 + b) % 31 === 0 && (b & 0x20) === 0) return "zlib";
  if (bytes.readUInt32LE(0) === 0xfd2fb528) return "zstd";
  return undefined;
}

/** Undefined when nothing could be unpacked; the reason is in the budget unless the bytes only look compressed. */
export function unpack(bytes: Buffer, compression: Compression, budget: ScanBudget): Buffer | undefined {
  const limit = budget.mayUnpack(bytes.length);
  if (limit < 1) return undefined;
  if (compression === "zstd") return unpackZstd(bytes, limit, budget);
  const inflate: Unpack = compression === "gzip" ? gunzipSync : compression === "zlib" ? inflateSync : inflateRawSync;
  const unpacked = attempt(inflate, bytes, limit);
  if (unpacked === "too large") {
    budget.skip(`a compressed stream is larger than ${limit} bytes: only its beginning was scanned`);
    const beginning = attempt(inflate, bytes.subarray(0, Math.max(64, Math.floor(limit / DEFLATE_RATIO))), limit);
    return finished(typeof beginning === "string" ? undefined : beginning, budget);
  }
  return finished(unpacked, budget);
}

function attempt(inflate: Unpack, bytes: Buffer, maxOutputLength: number): Buffer | "too large" | undefined {
  try {
    return inflate(bytes, { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    if (systemCodeOf(cause) === "ERR_BUFFER_TOO_LARGE") return "too large";
    return undefined;
  }
}

function unpackZstd(bytes: Buffer, limit: number, budget: ScanBudget): Buffer | undefined {
  if (zstd === undefined) {
    budget.skip("zstd was skipped: Node 22.15 or newer is required to read it");
    return undefined;
  }
  try {
    return finished(zstd(bytes, { maxOutputLength: limit }), budget);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    budget.skip(`a zstd stream could not be read: ${why}`);
    return undefined;
  }
}

function finished(bytes: Buffer | undefined, budget: ScanBudget): Buffer | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  budget.spend(bytes.length);
  return bytes;
}
