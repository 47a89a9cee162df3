/** The names of the environments that the person administers. */
import { call } from "../calls.ts";
import { useAnswer } from "./use-answer.ts";

export function useEnvironments(): readonly string[] {
  const { value } = useAnswer("environments", (signal) => call("activity", {}, signal));
  return value?.environments.map(({ name }) => name) ?? [];
}
