/** An error in the words of SCIM (RFC 7644, 3.12). `scimType` is the stable code: one of the RFC's. */
export type ScimType =
  | "invalidFilter"
  | "tooMany"
  | "uniqueness"
  | "mutability"
  | "invalidSyntax"
  | "invalidPath"
  | "noTarget"
  | "invalidValue"
  | "invalidVers";

export class ScimRefused extends Error {
  readonly status: 400 | 404 | 409 | 412;
  /** Null where the RFC has none for the status. */
  readonly scimType: ScimType | null;

  constructor(scimType: ScimType | null, detail: string, status: ScimRefused["status"] = 400) {
    super(detail);
    this.name = "ScimRefused";
    this.scimType = scimType;
    this.status = status;
  }
}
