export * from "./admin-client.ts";
export * from "./reach.ts";
export * from "./ticket.ts";
export * from "./signing-fetch.ts";
export * from "./signing-key.ts";
