import { beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../kernel/secret.ts";
import { DeviceGrants } from "./device-grants.ts";
import { LoginAttempts } from "./login-attempts.ts";

let now: number;
const clock = { now: () => now };
beforeEach(() => {
  now = 1_700_000_000_000;
});

describe("browsers that have left", () => {
  const checks = { state: "s", nonce: "n", verifier: "v" };
  const attempt = { environment: "dev", userCode: "BCDF-GHJK", checks };

  it("come back once, themselves, and in time", () => {
    const attempts = new LoginAttempts(clock);
    attempts.keep("s", attempt, "cookie", "192.0.2.1");
    expect(attempts.take("s", "another")).toBeUndefined();
    expect(attempts.take("other", "cookie")).toBeUndefined();
    expect(attempts.take("s", "cookie")).toMatchObject(attempt);
    expect(attempts.take("s", "cookie")).toBeUndefined();
    attempts.keep("s", attempt, "cookie", "192.0.2.1");
    now += 600_000;
    expect(attempts.take("s", "cookie")).toBeUndefined();
  });

  it("are bounded, and a network that sends many loses its own", () => {
    const attempts = new LoginAttempts(clock);
    attempts.keep("mine", attempt, "c", "198.51.100.1");
    for (let i = 0; i < 10_000; i++) attempts.keep(`s${i}`, attempt, "c", `10.${i % 200}.0.1`);
    expect(attempts.take("s0", "c")).toBeUndefined();
    expect(attempts.take("s9999", "c")).toMatchObject(attempt);
    expect(attempts.take("mine", "c")).toMatchObject(attempt);
  });
});

describe("programs that wait", () => {
  it("get what was approved once, each in its environment, and not when it is late", () => {
    const grants = new DeviceGrants(clock);
    const begun = grants.begin("dev", "192.0.2.1");
    expect(begun.userCode).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(grants.find("dev", begun.userCode.toLowerCase().replace("-", " "))).toMatchObject({ address: "192.0.2.1" });
    expect(grants.find("prod", begun.userCode)).toBeUndefined();
    expect(grants.poll("prod", begun.deviceCode).state).toBe("expired");
    expect(grants.poll("dev", begun.deviceCode).state).toBe("pending");
    expect(grants.poll("dev", begun.deviceCode).state).toBe("slow_down");
    now += 9_999;
    expect(grants.poll("dev", begun.deviceCode).state).toBe("slow_down");
    now += 15_000;
    expect(grants.poll("dev", begun.deviceCode).state).toBe("pending");
    expect([grants.approve(begun.userCode, new Secret("x")), grants.approve(begun.userCode, new Secret("y"))]).toEqual([
      true,
      false,
    ]);
    expect(grants.find("dev", begun.userCode)).toBeUndefined();
    const got = grants.poll("dev", begun.deviceCode);
    expect(got.state === "approved" && got.text.reveal()).toBe("x");
    expect(grants.poll("dev", begun.deviceCode).state).toBe("expired");
    const late = grants.begin("dev", "192.0.2.1");
    now += 600_000;
    expect([grants.approve(late.userCode, new Secret("x")), grants.poll("dev", late.deviceCode).state]).toEqual([
      false,
      "expired",
    ]);
  });

  it("are bounded by network and by environment, and nobody is locked out", () => {
    const grants = new DeviceGrants(clock);
    const mine = grants.begin("dev", "198.51.100.1");
    const other = grants.begin("prod", "2001:db8:1::1");
    const first = grants.begin("dev", "2001:db8:2:3::1");
    for (let i = 0; i < 3_000; i++) grants.begin("dev", `2001:db8:2:3::${(i % 60_000).toString(16)}`);
    expect(grants.find("dev", first.userCode)).toBeUndefined();
    for (let i = 0; i < 5_000; i++) grants.begin("dev", `10.${i % 250}.0.1`);
    expect(grants.find("dev", mine.userCode)).toMatchObject({ address: "198.51.100.1" });
    expect(grants.find("prod", other.userCode)).toBeDefined();
    expect(grants.find("dev", grants.begin("dev", "203.0.113.9").userCode)).toBeDefined();
  });
});
