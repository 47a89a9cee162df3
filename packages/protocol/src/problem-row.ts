/** A row of the table of problem codes (`problem.ts`), which is written in a file for each area. */
export interface ProblemRow {
  /** HTTP status, 400–599. */
  readonly status: number;
  /** What is the case, for a person. Public: says nothing a caller may not know. */
  readonly title: string;
  /** What to do about it. */
  readonly remedy: string;
}
