import type { EnvironmentName } from "@sallyport/protocol";
import { expect, it } from "vitest";
import { Problem } from "@sallyport/protocol";
import { LogRefused } from "./ask-witness.ts";
import { Cosigning } from "./cosigning.ts";

function start(environments: readonly string[] | null = null) {
  const said: string[] = [];
  const state = {
    sizes: new Map([
      ["dev", 5],
      ["prod", 7],
    ]),
    fails: null as Error | null,
    now: 1_000,
    asked: [] as string[],
  };
  const cosigning = new Cosigning(
    {
      logs: () =>
        Promise.resolve([...state.sizes].map(([name, size]) => ({ environment: name as EnvironmentName, size }))),
      cosign: (environment, size) => {
        state.asked.push(`${environment} ${size}`);
        return state.fails ? Promise.reject(state.fails) : Promise.resolve(state.sizes.get(environment)!);
      },
      now: () => state.now,
      onRefused: (environment) => Promise.resolve(void said.push(`refused ${environment}`)),
      onTrouble: (environment) => void said.push(`trouble ${environment}`),
      onRecovery: (environment) => void said.push(`recovery ${environment}`),
    },
    environments,
  );
  return { cosigning, state, said };
}

it("asks for each log that has grown since it was cosigned, and for no other", async () => {
  const { cosigning, state } = start();
  await cosigning.run();
  await cosigning.run();
  state.sizes.set("dev", 6);
  await cosigning.run();
  expect(state.asked).toEqual(["dev 0", "prod 0", "dev 5"]);
  expect(cosigning.figures()).toEqual([
    { environment: "dev", size: 6, cosignedAt: 1_000, failures: 0 },
    { environment: "prod", size: 7, cosignedAt: 1_000, failures: 0 },
  ]);
});

it("asks for the environments it was told, one run at a time", async () => {
  const { cosigning, state } = start(["prod"]);
  await Promise.all([cosigning.run(), cosigning.run()]);
  expect(state.asked).toEqual(["prod 0"]);
});

it("a witness that does not answer is asked again; it is told once, and so is its return", async () => {
  const { cosigning, state, said } = start(["dev"]);
  state.fails = new Problem("conflict", "the witness answers 503");
  await cosigning.run();
  await cosigning.run();
  state.fails = null;
  await cosigning.run();
  expect([said, state.asked.length]).toEqual([["trouble dev", "recovery dev"], 3]);
  expect(cosigning.figures()[0]).toMatchObject({ size: 5, failures: 2 });
});

it("a log that the witness does not know any more is told at once, once, and also after an outage", async () => {
  const { cosigning, state, said } = start(["dev"]);
  state.fails = new Error("unreachable");
  await cosigning.run();
  state.fails = new LogRefused("conflict", "rolled back");
  await cosigning.run();
  await cosigning.run();
  state.fails = new Error("unreachable");
  await cosigning.run();
  state.fails = new LogRefused("conflict", "rolled back");
  await cosigning.run();
  expect(said).toEqual(["trouble dev", "trouble dev", "refused dev"]);
});

it("asks for no other log once it is stopped", async () => {
  const { cosigning, state } = start();
  const running = cosigning.run();
  await cosigning.stop();
  await running;
  expect(state.asked.length).toBeLessThan(2);
  state.asked.length = 0;
  await cosigning.run();
  expect(state.asked).toEqual([]);
});
