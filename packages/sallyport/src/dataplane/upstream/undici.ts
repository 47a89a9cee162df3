/**
 * What is used of undici: its pool, its connector and its errors, without the rest. Its index loads 110 files (`fetch`, web
 * sockets, caches, mocks), which a start waits for and nothing here uses. The version is pinned, and were a file moved
 * in another, no gateway would start in the tests.
 */
import { createRequire } from "node:module";
import type { buildConnector as BuildConnector, errors as Errors, Pool as PoolClass } from "undici";

const load = createRequire(import.meta.url);

export type Pool = PoolClass;
export const Pool = load("undici/lib/dispatcher/pool.js") as typeof PoolClass;
export const buildConnector = load("undici/lib/core/connect.js") as typeof BuildConnector;
export const errors = load("undici/lib/core/errors.js") as typeof Errors;
/** How a connection is made. */
export type Connector = BuildConnector.connector;
