/** `sallyport anomalies …`: list and classify anomaly alerts; measure the detector. */
import type { Command } from "commander";
import type { Cli } from "../terminal/cli.ts";
import { addAnomaliesAnswer } from "./anomalies-answer.ts";
import { addAnomaliesNab } from "./anomalies-nab.ts";
import { addAnomaliesReplay } from "./anomalies-replay.ts";
import { addAnomaliesTraffic } from "./anomalies-traffic.ts";

export function addAnomalies(program: Command, cli: Cli): void {
  const anomalies = program.command("anomalies").description("list and classify anomaly alerts; measure the detector");
  addAnomaliesAnswer(anomalies, cli);
  addAnomaliesTraffic(anomalies, cli);
  addAnomaliesReplay(anomalies, cli);
  addAnomaliesNab(anomalies, cli);
}
