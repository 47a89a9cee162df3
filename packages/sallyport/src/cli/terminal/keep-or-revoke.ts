/** A new key whose only copy cannot be kept is lost: it is revoked, so that nothing stands in the way of another try. */
import type { AdminClient } from "@sallyport/client";

/** Throws what `keep` throws, after the key is revoked. */
export async function keepOrRevoke(client: AdminClient, id: string, keep: () => void): Promise<void> {
  try {
    keep();
  } catch (failure) {
    await client.call("keys.revoke", { params: { id } });
    throw failure;
  }
}
