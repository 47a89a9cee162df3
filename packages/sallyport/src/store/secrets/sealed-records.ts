/** Where sealed records are found when they are to be sealed anew: each place that keeps some implements this. */
export interface SealedRecords {
  count(): number;
  /** Visits every record; `replace` puts another sealed text in its place, durably, before the next one is visited. */
  each(visit: (purpose: string, sealed: string, replace: (sealed: string) => void) => void): void;
}
