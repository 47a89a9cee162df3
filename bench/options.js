// The options of every part of the bench, read once from the command line:
//   --rounds N        rounds of each row, for quick runs during development
//   --only TEXT       only rows whose name contains the text
//   --node PATH       runs what is measured on this Node (the reference pass-through as well); default: the current one
//   --program FOLDER  also measures the built program in another checkout, in turns with this one; may be given repeatedly
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: {
    rounds: { type: "string" },
    only: { type: "string" },
    node: { type: "string" },
    program: { type: "string", multiple: true },
  },
});

/** Node of the processes that are measured. */
export const nodePath = values.node ?? process.execPath;
export const otherPrograms = values.program ?? [];
const only = values.only ?? positionals[0] ?? "";

/** The number of rounds: what the command line or ROUNDS asks for, else what the row needs. */
export function roundsOr(usual) {
  return Number(values.rounds ?? process.env.ROUNDS ?? usual);
}

export function isSelected(name) {
  return name.includes(only);
}
