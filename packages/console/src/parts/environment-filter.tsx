/** Which environment a page is about: kept in the address. */
import type { ReactNode } from "react";
import { go } from "../address.ts";
import type { Place } from "../address.ts";

interface FilterProps {
  readonly place: Place;
  readonly environments: readonly string[];
}

export function EnvironmentFilter({ place, environments }: FilterProps): ReactNode {
  const chosen = place.filters["environment"] ?? "";
  return (
    <label>
      Environment{" "}
      <select
        value={chosen}
        onChange={(event) => go(place.path, { ...place.filters, environment: event.target.value })}
      >
        <option value="">all</option>
        {environments.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
