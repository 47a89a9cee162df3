import { expect, test } from "vitest";
import { ways } from "./wire/endpoint.ts";
import { endpoints } from "./wire/endpoints.ts";
import { stagesOf } from "./ways.ts";

const ANSWERING = [
  "constant",
  "metadata",
  "ticket",
  "device",
  "login",
  "oauth",
  "rotateItself",
  "personsKeys",
  "ownUsage",
  "forward",
];

test("every way begins with the request's form and its endpoint, and ends with the one stage of it that answers", () => {
  for (const way of ways) {
    const stages = stagesOf(way);
    expect([way, stages.slice(0, 2)]).toEqual([way, ["admit", "match"]]);
    expect([way, stages.filter((name) => ANSWERING.includes(name))]).toEqual([way, [stages.at(-1)]]);
  }
});

test("a model's request passes these stages in this order", () => {
  expect(stagesOf("model").join(" ")).toBe(
    "admit match confirmed authenticate limit slot read understand factors locateModel authorize keysInRequest queue record forward",
  );
});

test("whatever asks for a credential asks for its standing, before the body or once it is known", () => {
  for (const way of ways) {
    const stages = stagesOf(way);
    const asks = stages.includes("authenticate") || stages.includes("client");
    expect([way, stages.includes("limit")]).toEqual([way, asks]);
    // Whoever only takes away is asked for nothing more.
    const isAskedAgain = stages.includes("conditions") || stages.includes("authorize");
    expect([way, isAskedAgain]).toEqual([way, asks && way !== "revoke"]);
  }
});

test("every endpoint's way has what the endpoint has: a body is read where there is one", () => {
  for (const { id, way, body } of endpoints)
    expect([id, stagesOf(way).includes("read") || body === "none"]).toEqual([id, true]);
});
