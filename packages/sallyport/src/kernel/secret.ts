/** The secret type, which the client library shares. */
export { Secret } from "@sallyport/protocol";
