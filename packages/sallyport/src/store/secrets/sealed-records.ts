/** Where encrypted records are found for re-encryption: each place that stores some implements this. */
export interface SealedRecords {
  count(): number;
  /** Visits every record; `replace` stores another ciphertext in its place, durably, before the next one is visited. */
  each(visit: (purpose: string, sealed: string, replace: (sealed: string) => void) => void): void;
}
