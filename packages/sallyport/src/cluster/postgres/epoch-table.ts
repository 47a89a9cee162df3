/**
 * The two tables of the log, in the first schema of the connection's search path. `epoch_log_state` has exactly one row:
 * where the log begins, where it is, and who may append. The head moves in the statement that writes the entries, so there
 * is no number without an entry and no entry without a number; sequences and NOTIFY are not used. IF NOT EXISTS alone does
 * not hold where two begin at once: the second one's CREATE fails on the catalogue's own indexes.
 */
export const EPOCH_TABLES = `
SELECT pg_advisory_xact_lock(${0x5a11_9047}, 2);
CREATE TABLE IF NOT EXISTS epoch_log_state (
  id smallint PRIMARY KEY CHECK (id = 1),
  format integer NOT NULL,
  deployment text NOT NULL,
  base_epoch bigint NOT NULL,
  base_head text NOT NULL,
  base_digest text NOT NULL,
  base_signature text NOT NULL,
  epoch bigint NOT NULL,
  head text NOT NULL,
  fence bigint NOT NULL,
  holder text NOT NULL,
  closed boolean NOT NULL
);
CREATE TABLE IF NOT EXISTS epoch_log (
  epoch bigint PRIMARY KEY,
  previous text NOT NULL UNIQUE,
  head text NOT NULL,
  fence bigint NOT NULL,
  author text NOT NULL,
  at bigint NOT NULL,
  version integer NOT NULL,
  program text NOT NULL,
  operations text NOT NULL,
  events text NOT NULL,
  signature text NOT NULL
);`;

/** Counted up when a program that knows only the tables before could misread them. */
export const LOG_FORMAT = 1;

/** Of `pg_try_advisory_lock(int, int)`: the first says that it is ours, the second which of our locks. */
export const SEQUENCER_LOCK = [0x5a11_9047, 1] as const;

/** One row, or none where there is no log. */
export const SELECT_STATE = "SELECT * FROM epoch_log_state WHERE id = 1";

export const INSERT_STATE = `INSERT INTO epoch_log_state
  (id, format, deployment, base_epoch, base_head, base_digest, base_signature, epoch, head, fence, holder, closed)
  VALUES (1, $1, $2, $3, $4, $5, $6, $3, $4, 0, '', false) ON CONFLICT DO NOTHING RETURNING id`;

export const SELECT_ENTRIES = "SELECT * FROM epoch_log WHERE epoch > $1 ORDER BY epoch LIMIT $2";

/** A new fencing token, under the lock. */
export const RAISE_FENCE = `UPDATE epoch_log_state SET fence = fence + 1, holder = $1
  WHERE id = 1 AND NOT closed RETURNING *`;

export const RENEW = "UPDATE epoch_log_state SET holder = $2 WHERE id = 1 AND fence = $1 AND NOT closed RETURNING id";

/**
 * The compare-and-swap: the row of the state is changed only if token and head are the expected ones, and entries are
 * written only if it was. $1 token, $2 and $3 the expected epoch and head, $4 and $5 the new ones.
 */
export const APPEND = `WITH turn AS (
    UPDATE epoch_log_state SET epoch = $4, head = $5
    WHERE id = 1 AND fence = $1 AND epoch = $2 AND head = $3 AND NOT closed
    RETURNING id
  ), written AS (
    INSERT INTO epoch_log (epoch, previous, head, fence, author, at, version, program, operations, events, signature)
    SELECT entry.epoch, entry.previous, entry.head, $1, entry.author, entry.at, entry.version, entry.program,
           entry.operations, entry.events, entry.signature
    FROM turn, unnest($6::bigint[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::integer[], $12::text[],
                      $13::text[], $14::text[], $15::text[])
      AS entry (epoch, previous, head, author, at, version, program, operations, events, signature)
    RETURNING epoch
  )
  SELECT count(*) AS written FROM written`;

export const CLOSE_LOG = `UPDATE epoch_log_state SET closed = true
  WHERE id = 1 AND fence = $1 AND epoch = $2 AND head = $3 AND NOT closed RETURNING id`;
