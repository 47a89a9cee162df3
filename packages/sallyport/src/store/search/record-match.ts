/** Whether a record is what a search asks for. The text is looked at first: most lines are never parsed. */
import { quoteText } from "@sallyport/ledger";
import type { AuditFilter, AuditRecord } from "../../audit/audit-log.ts";
import { NetworkList, normalizeAddress, parseNetwork } from "../../kernel/network-list.ts";
import { readRecord, searched, searchedNames } from "./record-fields.ts";
import type { SearchedName } from "./record-fields.ts";

/** One demand of a filter: a value of that name has to be accepted. */
export interface WantedField {
  readonly name: SearchedName;
  /** The values themselves where they are known; null where each has to be asked. */
  readonly values: readonly string[] | null;
  readonly accepts: (value: string) => boolean;
}

/** The record of a line that fits the filter; undefined for others and for damaged lines, which `verify` names. */
export type MatchRecord = (line: string) => AuditRecord | undefined;

export function wantedOf(filter: AuditFilter): readonly WantedField[] {
  const wanted: WantedField[] = [];
  for (const name of searchedNames) {
    const value = filter[name];
    if (value === undefined) continue;
    wanted.push(name === "address" ? addressWanted(value) : oneOf(name, [value]));
  }
  if (filter.environments) wanted.push(oneOf("environment", filter.environments));
  if (filter.types) wanted.push(oneOf("type", filter.types));
  return wanted;
}

export function makeMatchRecord(filter: AuditFilter): MatchRecord {
  const { since = -Infinity, until = Infinity, after = 0, before = Infinity } = filter;
  const wanted = wantedOf(filter);
  const marks = wanted.flatMap(({ values }) => (values?.length === 1 ? [quoteText(values[0]!).slice(1, -1)] : []));
  return function match(line) {
    if (!marks.every((mark) => line.includes(mark))) return undefined;
    const record = readRecord(line);
    if (!record || record.seq <= after || record.seq >= before || record.at < since || record.at > until)
      return undefined;
    // The mark may have stood elsewhere in the line.
    const fits = wanted.every(({ name, accepts }) => searched[name](record).some(accepts));
    return fits ? record : undefined;
  };
}

function oneOf(name: SearchedName, values: readonly string[]): WantedField {
  const held = new Set(values);
  return { name, values, accepts: (value) => held.has(value) };
}

/** Addresses are recorded in one spelling; what is neither an address nor a network is looked for as it is. */
function addressWanted(text: string): WantedField {
  const parsed = text.includes("/") ? parseNetwork(text) : undefined;
  if (!parsed) return oneOf("address", [normalizeAddress(text)]);
  const network = new NetworkList([text]);
  const prefix = parsed.family === "ipv4" ? (numberOf(parsed.address) ?? 0) : 0;
  // A search may ask of a million addresses: most are IPv4, and a comparison is enough for them.
  const shift = 2 ** (32 - parsed.bits);
  const accepts = (value: string): boolean => {
    const number = parsed.family === "ipv4" ? numberOf(value) : undefined;
    if (number === undefined) return network.has(value);
    return Math.floor(number / shift) === Math.floor(prefix / shift);
  };
  return { name: "address", values: null, accepts };
}

/** Of a dotted IPv4 address; undefined for any other text. */
function numberOf(address: string): number | undefined {
  let number = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i <= address.length; i++) {
    const code = i < address.length ? address.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (part < 0 || part > 255) return undefined;
      number = number * 256 + part;
      part = -1;
      dots++;
    } else if (code >= ZERO && code <= ZERO + 9) part = Math.max(part, 0) * 10 + code - ZERO;
    else return undefined;
  }
  return dots === 4 ? number : undefined;
}

const DOT = 0x2e;
const ZERO = 0x30;
