/** Entry of the worker that checks proofs: a page's own thread has the screen to paint. */
import { judgeProof } from "./proof-verdict.ts";

addEventListener("message", ({ data }: MessageEvent<unknown>) => {
  postMessage(judgeProof(String(data)));
});
