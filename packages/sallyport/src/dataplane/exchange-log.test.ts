import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { Ending } from "./ending.ts";
import type { Exchange } from "./exchange.ts";
import { ExchangeLog, TROUBLE_EVERY_MS } from "./exchange-log.ts";

type Line = Readonly<Record<string, unknown>>;

function started(level: string): {
  lines: Line[];
  at: { ms: number };
  end: (ending: Ending, upstream?: object) => void;
} {
  const lines: Line[] = [];
  const at = { ms: 0 };
  const log = pino({ level, base: null }, { write: (text) => void lines.push(JSON.parse(text) as Line) });
  const listener = new ExchangeLog(log, { monotonic: () => at.ms });
  const one = { environment: "dev", spec: { id: "u1" } };
  const end = (ending: Ending, upstream: object = one): void => {
    const key = { id: "K", environment: "dev", name: "n" };
    const exchange = { id: "req_1", key, endpoint: null, understood: null, usage: null, refusal: null, upstream };
    listener.ended(exchange as unknown as Exchange, ending, 1.4);
  };
  return { lines, at, end };
}

describe("ExchangeLog", () => {
  it("says nothing of a request at level info", () => {
    const { lines, end } = started("info");
    for (const ending of ["served", "refused", "client_gone", "cut", "upstream_error"] as const) end(ending);
    expect(lines).toEqual([]);
  });

  it("says one line of each at level debug", () => {
    const { lines, end } = started("debug");
    end("served");
    end("refused");
    expect(lines).toMatchObject([
      { request: "req_1", key: "K", environment: "dev", upstream: "u1", outcome: "served", total_ms: 1 },
      { outcome: "refused" },
    ]);
  });

  it("says that an upstream is in trouble once in a while, with what was left unsaid, and that it answers again", () => {
    const { lines, at, end } = started("info");
    for (let i = 0; i < 100; i++) end("unreachable");
    end("timed_out", { environment: "prod", spec: { id: "u1" } });
    at.ms += TROUBLE_EVERY_MS;
    end("incomplete");
    end("served");
    end("served");
    expect(lines.map(({ msg, environment, outcome, unsaid }) => [msg, environment, outcome, unsaid])).toEqual([
      ["an upstream is in trouble", "dev", "unreachable", 0],
      ["an upstream is in trouble", "prod", "timed_out", 0],
      ["an upstream is in trouble", "dev", "incomplete", 99],
      ["an upstream answers again", "dev", undefined, undefined],
    ]);
  });

  it("does not say more because an upstream comes and goes", () => {
    const { lines, end } = started("info");
    for (let i = 0; i < 100; i++) {
      end("unreachable");
      end("served");
    }
    expect(lines).toHaveLength(2);
  });
});
