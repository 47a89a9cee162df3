/** `sallyport anomalies …`: what is unusual, and how well that is told. */
import type { Command } from "commander";
import type { Cli } from "../terminal/cli.ts";
import { addAnomaliesAnswer } from "./anomalies-answer.ts";
import { addAnomaliesNab } from "./anomalies-nab.ts";
import { addAnomaliesReplay } from "./anomalies-replay.ts";
import { addAnomaliesTraffic } from "./anomalies-traffic.ts";

export function addAnomalies(program: Command, cli: Cli): void {
  const anomalies = program.command("anomalies").description("what is unusual, and how well that is told");
  addAnomaliesAnswer(anomalies, cli);
  addAnomaliesTraffic(anomalies, cli);
  addAnomaliesReplay(anomalies, cli);
  addAnomaliesNab(anomalies, cli);
}
