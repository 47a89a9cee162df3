import { expect, it } from "vitest";
import type { EventType } from "../../audit/event.ts";
import { syslogMessage } from "./syslog-sink.ts";

function message(type: EventType, uid = "n1/dev/7", hostname = "n1"): string {
  const record = { seq: 7, at: Date.UTC(2026, 0, 2), environment: "dev", type, actor: "x", fields: {} };
  return syslogMessage({ uid, record, text: '{"a":1}' }, hostname);
}

it("writes the message of RFC 5424: facility log audit, severity, time, host, type, uid", () => {
  expect(message("key.issued")).toBe(
    '<110>1 2026-01-02T00:00:00.000Z n1 sallyport - key.issued [sallyport@32473 uid="n1/dev/7" environment="dev"] {"a":1}',
  );
  // Critical findings are 2 (critical) and below: the lower, the graver.
  expect(message("key.secret_reused")).toMatch(/^<107>1 /);
  expect(message("request.refused")).toMatch(/^<109>1 /);
});

it("lets no value out of its place", () => {
  const said = message("ticket.unexpected_network", 'a"]\\b', "host name\nx");
  expect(said).toContain('uid="a\\"\\]\\\\b"');
  expect(said.split(" ")[2]).toBe("hostnamex");
  expect(said.split(" ")[5]).toBe("ticket.unexpected_network");
  expect(message("key.issued", "u", "\u00e4")).toContain("Z - sallyport");
});
