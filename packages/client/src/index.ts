export * from "./admin-client.ts";
export * from "./reach.ts";
export * from "./ticket.ts";
