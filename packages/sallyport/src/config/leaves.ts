/** Every static setting: its place in `sallyport.yaml`, its environment variable and its flag. What is not a row here is refused. */
export interface Leaf {
  /** Dotted place in the file. */
  readonly path: string;
  readonly variable: string;
  /** Name of the flag as the command line's parser gives it; null = no flag. */
  readonly flag: string | null;
  /** How text from a variable or flag is read. Lists are comma-separated. */
  readonly form: "text" | "list" | "number" | "boolean";
}

export const leaves = [
  { path: "data", variable: "SALLYPORT_DATA", flag: "data", form: "text" },
  { path: "listen", variable: "SALLYPORT_LISTEN", flag: "listen", form: "text" },
  { path: "adminListen", variable: "SALLYPORT_ADMIN_LISTEN", flag: "adminListen", form: "text" },
  { path: "tls.certificate", variable: "SALLYPORT_TLS_CERTIFICATE", flag: "tlsCertificate", form: "text" },
  { path: "tls.key", variable: "SALLYPORT_TLS_KEY", flag: "tlsKey", form: "text" },
  { path: "trustedProxies", variable: "SALLYPORT_TRUSTED_PROXIES", flag: "trustedProxies", form: "list" },
  { path: "hosts", variable: "SALLYPORT_HOSTS", flag: "hosts", form: "list" },
  { path: "corsOrigins", variable: "SALLYPORT_CORS_ORIGINS", flag: "corsOrigins", form: "list" },
  { path: "environments", variable: "SALLYPORT_ENVIRONMENTS", flag: "environments", form: "list" },
  { path: "policy", variable: "SALLYPORT_POLICY", flag: "policy", form: "text" },
  { path: "log", variable: "SALLYPORT_LOG", flag: "log", form: "text" },
  { path: "ledger.retentionDays", variable: "SALLYPORT_LEDGER_RETENTION_DAYS", flag: null, form: "number" },
  { path: "ledger.retentionBytes", variable: "SALLYPORT_LEDGER_RETENTION_BYTES", flag: null, form: "number" },
  { path: "ledger.reserveBytes", variable: "SALLYPORT_LEDGER_RESERVE_BYTES", flag: null, form: "number" },
  { path: "inFlightBytesMax", variable: "SALLYPORT_IN_FLIGHT_BYTES_MAX", flag: null, form: "number" },
  { path: "tracing", variable: "SALLYPORT_TRACING", flag: null, form: "boolean" },
  { path: "otlp", variable: "SALLYPORT_OTLP", flag: null, form: "text" },
  { path: "drain", variable: "SALLYPORT_DRAIN", flag: "drain", form: "text" },
] as const satisfies readonly Leaf[];

/** Variables of the same prefix that are no settings: where the file is, and how the command line reaches a server. */
const OTHER_VARIABLES = ["SALLYPORT_SETTINGS", "SALLYPORT_ADMIN_URL", "SALLYPORT_ADMIN_KEY"];

/** A variable of our prefix that nothing reads. `SALLYPORT_TEST_…` belongs to the tests. */
export function isUnknownVariable(name: string): boolean {
  return (
    name.startsWith("SALLYPORT_") &&
    !name.startsWith("SALLYPORT_TEST_") &&
    !OTHER_VARIABLES.includes(name) &&
    !leaves.some((leaf) => leaf.variable === name)
  );
}
