/** Strangers' failures, and a restart, keep nobody waiting who logs in from where they logged in before. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Clock } from "../program-under-test.ts";
import { startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";
import { LocalHouse, otpAt } from "./local-browser.ts";

let aheadMs = 0;
const clock: Clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() + aheadMs };
let gateway: StartedGateway;
beforeAll(async () => {
  gateway = await startGateway({
    clock,
    settings: { trustedProxies: ["127.0.0.1/32"] },
    moreYaml:
      "roles:\n  bot: { allow: [{ do: [infer:chat], on: [llama3.2] }] }\nassign: [{ group: ml-team, role: bot, in: [dev] }]\n",
  });
});
afterAll(() => gateway?.stop());

test("a known user is heard at once after a restart, and from a new network in half a minute", async () => {
  const house = new LocalHouse(gateway);
  const ada = await house.enrol();
  const tryFrom = async (address: string, code: string): Promise<number> => {
    const browser = await house.form(await house.ask());
    return (await house.say(browser, { name: ada.name, code }, { "x-forwarded-for": address })).status;
  };
  const right = (): string => {
    aheadMs += 60_000;
    return otpAt(ada.secret, clock.now());
  };
  expect(await tryFrom("192.0.2.7", right())).toBe(200);
  await gateway.restart();
  for (let i = 0; i < 9; i++) await tryFrom(`10.${i}.0.1`, "000000");
  expect(await tryFrom("198.51.100.1", otpAt(ada.secret, clock.now()))).toBe(429);
  aheadMs += 31_000;
  expect(await tryFrom("192.0.2.8", otpAt(ada.secret, clock.now()))).toBe(200);
  for (let i = 0; i < 9; i++) await tryFrom(`10.${i}.0.1`, "000000");
  expect(await tryFrom("198.51.100.1", right())).toBe(200);
}, 30_000);
