/** Asks the worker for its verdict of a proof. */
import { CallProblem } from "../calls.ts";
import { proofWorkerAddress } from "../worker-address.ts";
import type { BrowserVerdict } from "./proof-verdict.ts";

const NOT_RUN = {
  title: "this browser could not check the proof",
  code: "proof_not_checked",
  remedy:
    "write the proof on the gateway's machine with the command below, and check the file with 'sallyport audit verify FILE'",
};

/** Rejects with a `CallProblem` where the browser could not run the worker. */
export function checkProof(proof: string): Promise<BrowserVerdict> {
  return new Promise<BrowserVerdict>((resolve, reject) => {
    const worker = new Worker(proofWorkerAddress());
    const end = (): void => worker.terminate();
    worker.addEventListener("message", ({ data }: MessageEvent<BrowserVerdict>) => (end(), resolve(data)));
    worker.addEventListener("error", () => (end(), reject(new CallProblem(0, NOT_RUN))));
    worker.postMessage(proof);
  });
}
