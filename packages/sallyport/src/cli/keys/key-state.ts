/** The state of a key in one word. */
export function stateText(key: { readonly state: string; readonly isExpired: boolean }): string {
  return key.isExpired && key.state !== "revoked" ? "expired" : key.state;
}
