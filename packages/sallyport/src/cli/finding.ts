/** What `doctor` says of one thing it looked at. */
export interface Finding {
  readonly check: string;
  /** `note`: worth knowing, nothing wrong. */
  readonly state: "ok" | "note" | "wrong";
  readonly says: string;
}
