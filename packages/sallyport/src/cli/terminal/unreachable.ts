/** A gateway that does not answer, in words: which address, why, and what to do. */

/** By shape, not by class: the client library is loaded only where it is used. */
interface Unreachable extends Error {
  readonly where: string;
  readonly code: string | undefined;
}

export function sayUnreachable(thrown: unknown): { readonly message: string; readonly remedy: string } | undefined {
  if (!(thrown instanceof Error) || thrown.name !== "GatewayUnreachable") return undefined;
  const { message, where, code = "" } = thrown as Unreachable;
  return { message, remedy: remedyFor(code, where, message) };
}

function remedyFor(code: string, where: string, message: string): string {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return "correct the host name in --url, SALLYPORT_URL or SALLYPORT_ADMIN_URL";
  if (/CERT|SELF_SIGNED|ISSUER|ERR_TLS|LEAF_SIGNATURE/.test(code))
    return "check the certificate; for a CA of your own set NODE_EXTRA_CA_CERTS to its PEM file";
  if (code === "EPROTO" || code.startsWith("ERR_SSL"))
    return `check whether ${where} speaks TLS: use http:// only for an address of this machine`;
  // What follows redirects would take the credential elsewhere.
  if (message.endsWith("unexpected redirect"))
    return `${where} redirects: use the address it redirects to in --url, SALLYPORT_URL or SALLYPORT_ADMIN_URL`;
  return `start the gateway at ${where}, or correct --url, SALLYPORT_URL or SALLYPORT_ADMIN_URL; on the gateway's machine \`sallyport status\` shows where it listens`;
}
