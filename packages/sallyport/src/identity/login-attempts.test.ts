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
    expect(attempts.keep("s", attempt, "cookie")).toBe(true);
    expect(attempts.take("s", "another")).toBeUndefined();
    expect(attempts.take("other", "cookie")).toBeUndefined();
    expect(attempts.take("s", "cookie")).toMatchObject(attempt);
    expect(attempts.take("s", "cookie")).toBeUndefined();
    attempts.keep("s", attempt, "cookie");
    now += 600_000;
    expect(attempts.take("s", "cookie")).toBeUndefined();
  });

  it("are bounded, and make room when they are late", () => {
    const attempts = new LoginAttempts(clock);
    const keep = (i: number): boolean => attempts.keep(`s${i}`, attempt, "c");
    expect(Array.from({ length: 1_001 }, (_, i) => keep(i)).filter(Boolean)).toHaveLength(1_000);
    now += 600_001;
    expect(keep(2_000)).toBe(true);
  });
});

describe("programs that wait", () => {
  it("get what was approved once, each in its environment, and not when it is late", () => {
    const grants = new DeviceGrants(clock);
    const begun = grants.begin("dev", "192.0.2.1")!;
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
    const late = grants.begin("dev", "192.0.2.1")!;
    now += 600_000;
    expect([grants.approve(late.userCode, new Secret("x")), grants.poll("dev", late.deviceCode).state]).toEqual([
      false,
      "expired",
    ]);
  });

  it("are bounded", () => {
    const grants = new DeviceGrants(clock);
    const begun = Array.from({ length: 1_001 }, () => grants.begin("dev", "192.0.2.1"));
    expect(begun.filter((one) => one !== undefined)).toHaveLength(1_000);
    expect(new Set(begun.map((one) => one?.userCode)).size).toBe(1_001);
  });
});
