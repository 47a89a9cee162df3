/** Networks that were there in the first half of a key's use. A stranger is more likely among the others. */
import type { RadiusView } from "@sallyport/contract";

/** By address where an address belongs to no network. */
export function earlyNetworks({ addresses, networks }: RadiusView): ReadonlySet<string> {
  const times = addresses.rows.map(({ firstAt, lastAt }) => [Date.parse(firstAt), Date.parse(lastAt)] as const);
  const first = Math.min(...times.map(([at]) => at));
  const last = Math.max(...times.map(([, at]) => at));
  const early = addresses.rows.filter(({ firstAt }) => Date.parse(firstAt) <= first + (last - first) / 2);
  return new Set(early.map(({ address }) => networks[address] ?? address));
}
