/** The program's version: one for all packages. */
export const VERSION = "0.1.0";
