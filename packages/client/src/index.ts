export * from "./admin-client.ts";
export * from "./credential/index.ts";
export * from "./log-in.ts";
export * from "./reach.ts";
export * from "./sallyport-fetch.ts";
export * from "./ticket.ts";
export * from "./signing-fetch.ts";
export * from "./signing-key.ts";
