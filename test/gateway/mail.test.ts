/** Notices by mail: from a change to a mail server, over every kind of connection, and what must not go over any. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { initialize, makeSmtpSender, openGateway, Secret } from "../program-under-test.ts";
import { SmtpReceiver, testAuthority } from "./smtp-receiver.ts";
import { startGateway, testSettings } from "./started-gateway.ts";

const FROM = "gateway@example.org";
const TO = ["ops@example.org", "night@example.org"];
const PASSWORD = "the mail server's password";
const letter = { id: "m1", subject: "[sallyport] A key was suspended (dev, K)", text: "A key was suspended." };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function receive(kind: ConstructorParameters<typeof SmtpReceiver>[0] = {}) {
  const receiver = new SmtpReceiver(kind);
  ends.push(() => receiver.close());
  return { receiver, port: await receiver.listen() };
}
interface Way {
  readonly port: number;
  readonly isTls?: boolean;
  readonly isLoopback?: boolean;
  readonly host?: string;
  readonly user?: string;
  readonly ca?: string | null;
}
function sender({ port, isTls = false, isLoopback = false, host = "localhost", user, ca = testAuthority }: Way) {
  const place = { host, port, isTls, isLoopback, user: user ?? null };
  const password = user === undefined ? null : new Secret(PASSWORD);
  const made = makeSmtpSender({ place, password, from: FROM, to: TO, ...(ca === null ? {} : { ca }) });
  ends.push(() => made.close());
  return made;
}

it.each([
  ["TLS from the first byte", { isTls: true }],
  ["STARTTLS", { hasStartTls: true }],
])("over %s, logged in, the certificate verified", async (_, kind) => {
  const { receiver, port } = await receive(kind);
  const isTls = "isTls" in kind;
  await sender({ port, isTls, user: "ops@example.org" }).send(letter);
  expect(receiver.mails).toMatchObject([{ isEncrypted: true, from: FROM, to: TO }]);
  expect(receiver.mails[0]!.raw).toContain("Message-ID: <m1@example.org>");
  expect(receiver.mails[0]!.raw).toContain("Auto-Submitted: auto-generated");
  expect(receiver.logIns).toEqual([`\u0000ops@example.org\u0000${PASSWORD}`]);
  // A certificate nobody vouches for, or of another host.
  await expect(sender({ port, isTls, ca: null }).send(letter)).rejects.toThrow(/self-signed/);
  await expect(sender({ port, isTls, host: "127.0.0.2" }).send(letter)).rejects.toThrow();
  expect(receiver.mails).toHaveLength(1);
  expect(receiver.logIns).toHaveLength(1);
});

it("where STARTTLS is not offered nothing is said, neither password nor mail; but on this machine", async () => {
  const { receiver, port } = await receive();
  await expect(sender({ port, user: "u" }).send(letter)).rejects.toThrow();
  expect(receiver.mails).toEqual([]);
  expect(receiver.commands.filter((line) => /^(?:AUTH|MAIL)/.test(line))).toEqual([]);
  await sender({ port, isLoopback: true }).send(letter);
  expect(receiver.mails).toMatchObject([{ isEncrypted: false }]);
});

it("what the server answers is not repeated: it may have the password in it", async () => {
  const { receiver, port } = await receive({ isTls: true });
  receiver.answers.push({ command: "AUTH", answer: `535 ${PASSWORD} is wrong\r\n` });
  const failure: unknown = await sender({ port, isTls: true, user: "u" })
    .send(letter)
    .catch((cause: unknown) => cause);
  expect(String(failure)).toBe("Error: EAUTH 535");
});

it("no header comes of a subject, whatever is in it", async () => {
  const { receiver, port } = await receive({ isTls: true });
  await sender({ port, isTls: true }).send({ ...letter, subject: "a\r\nBcc: thief@example.org\r\n\r\nb" });
  const [header = ""] = receiver.mails[0]!.raw.split("\r\n\r\n");
  expect(header.split("\r\n").filter((line) => /^bcc/i.test(line))).toEqual([]);
  expect(receiver.commands.filter((line) => line.includes("thief"))).toEqual([]);
});

it("a gateway mails what happens to keys, in words, once it is taken, and no secret", async () => {
  const { receiver, port } = await receive();
  receiver.answers.push({ command: "MAIL", answer: "451 later\r\n" });
  const place = { host: "127.0.0.1", port, isTls: false, isLoopback: true, user: null };
  const gateway = await startGateway({ settings: { mail: { place, password: null, from: FROM, to: TO } } });
  ends.push(() => gateway.stop());
  const issued = await gateway.issue({ name: "shop =?utf-8?q?x?= <b>Bcc: thief@example.org</b>" });
  await gateway.admin("POST", `/v1/keys/${issued.id}/revoke`);
  const [mail] = await receiver.hear(1);
  expect(mail).toMatchObject({ from: FROM, to: TO });
  const raw = mail!.raw.replace(/=\r\n/g, "").replace(/\r\n[ \t]+/g, " ");
  expect(raw).toContain(`Subject: [sallyport] A key was revoked (dev, ${issued.id})`);
  expect(raw).toContain(`key: ${issued.id}`);
  expect(raw).toContain("What to do next: ");
  expect(raw).not.toContain(issued.key.slice(-40));
  expect(raw.split("\r\n").filter((line) => /^bcc/i.test(line))).toEqual([]);
  expect(receiver.commands.filter((line) => line.startsWith("RCPT"))).toHaveLength(2);
});

it("without its password the gateway does not start", async () => {
  const root = mkdtempSync(join(tmpdir(), "sallyport-mail-"));
  ends.push(() => rmSync(root, { recursive: true, force: true }));
  const place = { host: "mx.example.org", port: 465, isTls: true, isLoopback: false, user: "u" };
  const password = { kind: "file", path: join(root, "none") } as const;
  const settings = testSettings(join(root, "data"), { mail: { place, password, from: FROM, to: TO } });
  await initialize(settings);
  await expect(openGateway(settings)).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringContaining("the password of the mail server"),
  });
});

it("mails once a week what needs a person: the five worst, each with its command", async () => {
  const { receiver, port } = await receive();
  const mail = { place: { host: "127.0.0.1", port, isTls: false, isLoopback: true, user: null }, password: null, from: FROM, to: TO }; // prettier-ignore
  const clock = { now: () => Date.UTC(2026, 10, 30, 8, 5), monotonic: () => performance.now() };
  // The looks of a minute, and all others, come when this test says so.
  vi.useFakeTimers({ toFake: ["setInterval"] });
  ends.push(() => vi.useRealTimers());
  const gateway = await startGateway({ clock, environments: ["prod"], settings: { mail } });
  ends.push(() => gateway.stop());
  const weekly = (): string[] => receiver.mails.map(({ raw }) => raw).filter((raw) => raw.includes("this week"));
  const wait = async (): Promise<void> => {
    while (weekly().length === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  vi.advanceTimersByTime(60_000);
  await wait();
  const text = weekly()[0]!.replaceAll("=\r\n", "").replaceAll("=3D", "=");
  expect(text).toMatch(/^to do: (?:critical|high|medium|low), \w+: .*sallyport /m);
  expect(text.match(/^to do: /gm)!.length).toBeLessThanOrEqual(5);
  const { records } = await gateway.admin<{ records: object[] }>("GET", "/v1/audit?type=notice.weekly");
  expect(records).toHaveLength(1);
  await gateway.restart();
  vi.advanceTimersByTime(60_000);
  await gateway.restart();
  const { records: still } = await gateway.admin<{ records: object[] }>("GET", "/v1/audit?type=notice.weekly");
  expect(still).toHaveLength(1);
}, 20_000);
