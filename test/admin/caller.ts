/** Callers of the admin API of a gateway in memory. */
import { AdminClient } from "@sallyport/client";
import { Problem } from "@sallyport/protocol";
import type { AdminRight } from "../program-under-test.ts";
import type { MemoryGateway } from "./memory-ports.ts";

/** With that admin key. */
export function clientWith(gateway: MemoryGateway, key: string): AdminClient {
  return new AdminClient({
    handle: (request) => {
      request.headers.set("authorization", `Bearer ${key}`);
      return gateway.app.handle(request, { kind: "tcp" });
    },
  });
}

/** With an admin key of that right; `expiresAt` null = never. */
export function clientOf(gateway: MemoryGateway, right: AdminRight, expiresAt: number | null = null): AdminClient {
  return clientWith(gateway, gateway.adminKey(right, expiresAt));
}

/** How it ends: `done`, or the code of the problem. */
export async function codeOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return "done";
  } catch (failure) {
    if (failure instanceof Problem) return failure.code;
    return (failure as { code?: string }).code ?? String(failure);
  }
}
