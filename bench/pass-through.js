// The bare pass-through everything is measured against: node:http in front, undici dispatch behind, nothing between.
import { createServer } from "node:http";
import { Pool } from "undici";

process.on("SIGINT", () => process.exit(0));
const pool = new Pool(process.env.UPSTREAM, { pipelining: 1 });

class Relay {
  constructor(response) {
    this.response = response;
  }
  onRequestStart(controller) {
    this.controller = controller;
    this.response.on("drain", () => controller.resume());
    this.response.on("close", () => {
      if (!this.response.writableFinished) controller.abort(new Error("gone"));
    });
  }
  onResponseStart(_controller, status, headers) {
    this.response.writeHead(status, { "content-type": headers["content-type"] });
  }
  onResponseData(controller, chunk) {
    if (!this.response.write(chunk)) controller.pause();
  }
  onResponseEnd() {
    this.response.end();
  }
  onResponseError() {
    this.response.destroy();
  }
}

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    pool.dispatch(
      {
        method: request.method,
        path: request.url,
        headers: ["content-type", "application/json", "content-length", String(body.length)],
        body,
      },
      new Relay(response),
    );
  });
}).listen(0, "127.0.0.1", function () {
  process.send({ url: `http://127.0.0.1:${this.address().port}` });
});
