import type { Answer } from "@sallyport/contract";
import { expect, test } from "vitest";
import { lineText } from "../terminal/styled-line.ts";
import { topLines } from "./top-lines.ts";

const activity: Answer<"activity"> = {
  at: "2026-11-30T12:00:00.000Z",
  environments: [
    {
      name: "dev",
      jainIndex: 0.83,
      models: [
        {
          model: "registry.ollama.ai/library/llama3.2:latest",
          running: 2,
          waiting: 3,
          slots: 2,
          meanServiceMs: 4_200,
          predictionError: 0.2,
        },
        {
          model: "registry.ollama.ai/library/idle:latest",
          running: 0,
          waiting: 0,
          slots: 4,
          meanServiceMs: 0,
          predictionError: 0,
        },
      ],
      servers: [{ id: "u1", running: 2, fitness: "up", loadedModels: ["registry.ollama.ai/library/llama3.2:latest"] }],
      users: [
        {
          principal: "p1",
          name: "Ada\u001b[2J",
          team: "ml",
          running: 2,
          waiting: 0,
          requests: 12_400,
          computeMs: 3_000_000,
          meanQueueMs: 40,
          share: 0.75,
        },
        {
          principal: "other",
          name: null,
          team: null,
          running: 0,
          waiting: 3,
          requests: 3,
          computeMs: 1_000_000,
          meanQueueMs: 9_000,
          share: 0.25,
        },
      ],
      requests: [
        {
          id: "req_1",
          key: "k",
          keyName: "bot",
          principal: "p1",
          endpoint: "ollama.chat",
          model: "registry.ollama.ai/library/llama3.2:latest",
          state: "waiting",
          server: null,
          sinceMs: 65_000,
          sentBytes: 0,
        },
      ],
      budgets: [
        {
          account: "dev user p1 role chatbot",
          budget: "tokens",
          used: 190_000,
          amount: 200_000,
          endsAt: "2026-12-01T00:00:00.000Z",
        },
        {
          account: "dev user p2 role chatbot",
          budget: "tokens",
          used: 10,
          amount: 200_000,
          endsAt: "2026-12-01T00:00:00.000Z",
        },
      ],
    },
  ],
};

test("shows models, users with their share, requests, and budgets that are half used", () => {
  const text = topLines(activity).map(lineText).join("\n");
  for (const part of [
    "dev  0 running, 3 waiting, fairness 0.83 of 1",
    "server u1 up, 2 running, loaded: llama3.2:latest",
    "llama3.2:latest  2        2      3        4.2 s",
    "75 %",
    "bot",
    "1 min 5 s",
    "95 %",
  ])
    expect(text).toContain(part);
  for (const part of ["idle:latest", "user p2"]) expect(text).not.toContain(part);
});

test("a name cannot move the cursor", () => {
  expect(topLines(activity).map(lineText).join("")).not.toContain("\u001b");
});

test("says what does not fit", () => {
  const lines = topLines(activity, 6).map(lineText);
  expect(lines).toHaveLength(6);
  expect(lines.at(-1)).toMatch(/^… \d+ more lines/);
});
