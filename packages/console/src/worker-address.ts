/**
 * The addresses of the workers' scripts, which the build knows. The page's policy takes an address of a script only from
 * this one policy, which knows only these.
 */
import eventsWorker from "virtual:events-worker";
import proofWorker from "virtual:proof-worker";

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
      if (text !== eventsWorker && text !== proofWorker) throw new TypeError("not a worker of this console");
      return text;
    },
  },
);

/** As `new SharedWorker()` takes it. */
export const eventsWorkerAddress = (): string => trusted(eventsWorker);

/** As `new Worker()` takes it. */
export const proofWorkerAddress = (): string => trusted(proofWorker);

function trusted(address: string): string {
  return scripts?.createScriptURL(address) ?? address;
}
