/** Page and filters in the fragment of the address, so that every view can be kept and shared: `#/keys?environment=prod`. */
import { useSyncExternalStore } from "react";
import { withoutSecret } from "@sallyport/protocol";

export interface Place {
  /** `keys`, `keys/4vJ9Qm2LxT8c`. */
  readonly path: string;
  readonly filters: Readonly<Record<string, string>>;
}

export function parsePlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { path, filters: Object.fromEntries(new URLSearchParams(query)) };
}

/** A credential that was pasted into a filter is not part of any address: its id is. */
export function placeText(path: string, filters: Readonly<Record<string, string | undefined>> = {}): string {
  const set = Object.entries(filters).flatMap(([name, value]) => (value ? [[name, withoutSecret(value)]] : []));
  return `#/${withoutSecret(path)}${set.length === 0 ? "" : `?${new URLSearchParams(set).toString()}`}`;
}

export function go(path: string, filters: Readonly<Record<string, string | undefined>> = {}): void {
  location.hash = placeText(path, filters);
}

/** The same in place of where one is now: what is typed letter by letter is no step back. */
export function goInstead(path: string, filters: Readonly<Record<string, string | undefined>> = {}): void {
  location.replace(placeText(path, filters));
}

export function usePlace(): Place {
  const hash = useSyncExternalStore(
    (onChange) => {
      addEventListener("hashchange", onChange);
      return () => removeEventListener("hashchange", onChange);
    },
    () => location.hash,
  );
  return parsePlace(hash);
}
