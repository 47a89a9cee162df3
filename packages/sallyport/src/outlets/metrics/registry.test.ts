import { describe, expect, it } from "vitest";
import { SERIES_MAX } from "./family.ts";
import { Registry } from "./registry.ts";

describe("Registry", () => {
  it("writes counters, readings and histograms as the text format has them", () => {
    const registry = new Registry();
    registry.counter("c_total", "Counted.", "a", "b").at("x", "y").value += 2;
    registry.gauge("g", "Read.", () => 0.5);
    const seconds = registry.histogram("h_seconds", "Spread.", [0.1, 1]).at();
    for (const value of [0.1, 0.5, 7]) seconds.observe(value);
    expect(registry.write()).toBe(
      [
        "# HELP c_total Counted.",
        "# TYPE c_total counter",
        'c_total{a="x",b="y"} 2',
        "# HELP g Read.",
        "# TYPE g gauge",
        "g 0.5",
        "# HELP h_seconds Spread.",
        "# TYPE h_seconds histogram",
        'h_seconds_bucket{le="0.1"} 1',
        'h_seconds_bucket{le="1"} 2',
        'h_seconds_bucket{le="+Inf"} 3',
        "h_seconds_sum 7.6",
        "h_seconds_count 3",
        "",
      ].join("\n"),
    );
  });

  it("escapes label values and help", () => {
    const registry = new Registry();
    registry.counter("c_total", "a\\b\nc", "l").at('\\"\n').value++;
    expect(registry.write()).toBe('# HELP c_total a\\\\b\\nc\n# TYPE c_total counter\nc_total{l="\\\\\\"\\n"} 1\n');
  });

  it("writes infinities and what is no number as Prometheus reads them", () => {
    const registry = new Registry();
    registry.reading("gauge", "g", "x", ["l"], () => [
      [Infinity, "a"],
      [-Infinity, "b"],
      [NaN, "c"],
    ]);
    expect(registry.write().split("\n").slice(2, 5)).toEqual(['g{l="a"} +Inf', 'g{l="b"} -Inf', 'g{l="c"} NaN']);
  });

  it("gives the same series for the same labels, and one for all beyond its bound", () => {
    const family = new Registry().counter("c_total", "x", "l");
    expect(family.at("a")).toBe(family.at("a"));
    for (let i = 0; i < SERIES_MAX; i++) family.at(`l${i}`);
    expect(family.at("new")).toBe(family.at("newer"));
    expect([...family.members()]).toHaveLength(SERIES_MAX + 1);
  });

  it("leaves out what is not shown, and never what has no such label or an empty one", () => {
    const registry = new Registry();
    const family = registry.counter("c_total", "x", "environment");
    for (const name of ["", "dev", "prod"]) family.at(name).value++;
    registry.gauge("g", "x", () => 1);
    const text = registry.write({ label: "environment", isShown: (name) => name === "dev" });
    expect(text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
      'c_total{environment=""} 1',
      'c_total{environment="dev"} 1',
      "g 1",
    ]);
  });

  it("refuses a name twice, a wrong name and wrong labels", () => {
    const registry = new Registry();
    const family = registry.counter("c_total", "x", "l");
    expect(() => registry.gauge("c_total", "x", () => 1)).toThrow();
    expect(() => registry.gauge("c-d", "x", () => 1)).toThrow();
    expect(() => family.at()).toThrow();
  });
});
