export * from "./permission.ts";
export * from "./problem.ts";
export * from "./model-name.ts";
