export * from "./permission.ts";
export * from "./problem.ts";
export * from "./model-name.ts";
export * from "./crc32.ts";
export * from "./key-text.ts";
