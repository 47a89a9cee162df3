/** A row that is not exactly of its shape: damage, with its place, and never a default. */
import { Problem } from "@sallyport/protocol";
import { Misshapen } from "./json-shape.ts";

/** A row that is not of its shape. Its message names the place, never what stands there. */
export class DamagedRecord extends Problem {
  readonly table: string;
  readonly record: string;

  constructor(table: string, record: string, why: string) {
    super("record_damaged", `the database is damaged: ${table} ${record}, ${why}`);
    this.table = table;
    this.record = record;
  }
}

/** Builds the value a row stands for; what is misshapen is thrown as damage of that row. */
export function readRow<T>(table: string, name: unknown, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof Misshapen) throw new DamagedRecord(table, String(name), error.message);
    throw error;
  }
}
