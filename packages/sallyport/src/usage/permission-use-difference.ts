/**
 * What has to be added to stored counters of permissions to make them those of a rebuild; as in `usage-difference.ts`,
 * what is counted while the rebuild runs stays.
 */
import { permissionUseText } from "./permission-use.ts";
import type { PermissionUseRow } from "./permission-use.ts";

/** One correction for each row that differs: its count may be negative, its times are those that the row shall have. */
export function permissionUseDifference(
  stored: Iterable<PermissionUseRow>,
  rebuilt: Iterable<PermissionUseRow>,
): readonly PermissionUseRow[] {
  const storedByName = new Map<string, PermissionUseRow>();
  for (const row of stored) storedByName.set(permissionUseText(row), row);
  const corrections: PermissionUseRow[] = [];
  for (const row of rebuilt) {
    const name = permissionUseText(row);
    const before = storedByName.get(name);
    storedByName.delete(name);
    const { count = 0, firstAt, lastAt } = before ?? {};
    if (count !== row.count || firstAt !== row.firstAt || lastAt !== row.lastAt)
      corrections.push({ ...row, count: row.count - count });
  }
  for (const row of storedByName.values()) if (row.count !== 0) corrections.push({ ...row, count: -row.count });
  return corrections;
}
