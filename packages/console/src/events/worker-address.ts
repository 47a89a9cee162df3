/**
 * The address of the shared worker's script, which the build knows. The page's policy takes an address of a script only
 * from this one policy, which knows only this one address.
 */
import worker from "virtual:worker";

interface TrustedScripts {
  createPolicy(
    name: string,
    rules: { createScriptURL(text: string): string },
  ): { createScriptURL(text: string): string };
}

const scripts = (globalThis as { readonly trustedTypes?: TrustedScripts }).trustedTypes?.createPolicy(
  "sallyport-worker",
  {
    createScriptURL(text) {
      if (text !== worker) throw new TypeError("not the worker of this console");
      return text;
    },
  },
);

/** As `new SharedWorker()` takes it. */
export function workerAddress(): string {
  return scripts?.createScriptURL(worker) ?? worker;
}
