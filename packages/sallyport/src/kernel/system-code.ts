/** The code that Node gives an error of the operating system (`ENOENT`), SQLite's or its own (`ERR_…`); undefined for others. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
