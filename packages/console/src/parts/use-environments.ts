/** The names of the environments that the person administers. */
import type { Answer } from "@sallyport/contract";
import { call } from "../calls.ts";
import { useAnswer } from "./use-answer.ts";

export function useEnvironments(): readonly string[] {
  return useAnswer("environments", readEnvironments).value?.environments.map(({ name }) => name) ?? [];
}

/** Is there only while `start` finds no model server: the demo answers in it, and nothing in the others. */
const DEMO = "practice";

/** Where a new key is most useful: where a model server answers. Empty without an environment. */
export function useServedEnvironment(): string {
  const environments = useAnswer("environments", readEnvironments).value?.environments ?? [];
  const served =
    environments.find(({ name }) => name === DEMO) ??
    environments.find(({ servers }) => servers.some(({ fitness }) => fitness === "up"));
  return (served ?? environments[0])?.name ?? "";
}

function readEnvironments(signal: AbortSignal): Promise<Answer<"activity">> {
  return call("activity", {}, signal);
}
