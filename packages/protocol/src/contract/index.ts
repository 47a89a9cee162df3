export * from "./contract.ts";
export * from "./duration.ts";
export * from "./openapi.ts";
export * from "./policy-schema.ts";
export * from "./rate.ts";
export * from "./row.ts";
export * from "./views.ts";
export { POLICY_TEXT_MAX } from "./policy-rows.ts";
export { ROLE_NAME_FORM } from "./scalars.ts";
