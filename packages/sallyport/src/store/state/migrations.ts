/**
 * The steps from one schema to the next, oldest first. A step is a file in `migrations/`, named after what it does, and
 * is never changed once it was released; with it `SCHEMA_VERSION` and the tables of `schema.ts` move on, and the
 * database a release wrote is kept in `testdata/databases/`.
 */
import type { Migration } from "./migrations/migration.ts";
import { keySecrets } from "./migrations/2-key-secrets.ts";
import { factors } from "./migrations/3-factors.ts";
import { logs } from "./migrations/4-logs.ts";
import { boundRows } from "./migrations/5-bound-rows.ts";
import { countedUsage } from "./migrations/6-usage-counters.ts";
import { keptFindings } from "./migrations/7-findings.ts";
import { permissionUses } from "./migrations/8-permission-uses.ts";
import { keptReviews } from "./migrations/9-reviews.ts";

export const migrations: readonly Migration[] = [
  keySecrets,
  factors,
  logs,
  boundRows,
  countedUsage,
  keptFindings,
  permissionUses,
  keptReviews,
];
