/** Asks the worker for its verdict of a proof. */
import { proofWorkerAddress } from "../worker-address.ts";
import type { BrowserVerdict } from "./proof-verdict.ts";

/** Rejects where the browser could not run the worker. */
export function checkProof(proof: string): Promise<BrowserVerdict> {
  return new Promise<BrowserVerdict>((resolve, reject) => {
    const worker = new Worker(proofWorkerAddress());
    const end = (): void => worker.terminate();
    worker.addEventListener("message", ({ data }: MessageEvent<BrowserVerdict>) => (end(), resolve(data)));
    worker.addEventListener("error", () => (end(), reject(new Error("the browser did not run the check"))));
    worker.postMessage(proof);
  });
}
