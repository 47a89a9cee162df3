/** A mistake in the command line, with what to write instead. */

/** Stands for the command that shows the options of the one that failed. */
export const HELP = "the command with --help";
export const SEE_HELP = `see its options: \`${HELP}\``;

export class UsageMistake extends Error {
  readonly remedy: string;
  readonly mistakes: readonly string[];

  constructor(message: string, remedy = SEE_HELP, mistakes: readonly string[] = []) {
    super(message);
    this.remedy = remedy;
    this.mistakes = mistakes;
  }
}
