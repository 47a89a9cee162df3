/** A process that writes until it is killed. It says what was acknowledged, one line each, as it is acknowledged. */
import { writeSync } from "node:fs";
import { encodeEvent } from "../../packages/ledger/dist/index.js";
import { newKey } from "../../packages/sallyport/dist/keys/key.js";
import { lockDataDirectory } from "../../packages/sallyport/dist/store/disk/lock.js";
import { openStore } from "../../packages/sallyport/dist/store/directory/open-store.js";

const [directory, round, requestDays = "3650"] = process.argv.slice(2);
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const event = (type, fields) => ({ type, at: Date.now(), environment: "dev", actor: "gateway", fields });
const say = (text) => writeSync(1, `${text}\n`);

lockDataDirectory(directory);
const ledger = {
  retentionDays: 3_650,
  retentionBytes: 1e12,
  reserveBytes: 65_536,
  requestDays: Number(requestDays),
  personalDays: 3_650,
  securityPersonalDays: 3_650,
};
const store = await openStore({
  directory,
  clock,
  ledger,
  segmentRecords: 200,
  onTrouble: (text) => say(`trouble ${text}`),
});

for (let n = 0; ; n++) {
  const name = `${round}n${n}`;
  for (let i = 0; i < 20; i++) {
    const mark = `${name}i${i}`;
    const ticket = store.append(encodeEvent(event("request.intent", { mark })));
    if (ticket !== undefined) store.whenDurable(ticket, (isOnDisk) => isOnDisk && say(`line ${mark}`));
  }
  const what = {
    id: name.padStart(12, "x"),
    environment: "dev",
    name,
    owner: "p1",
    limits: {},
    admin: null,
    createdAt: 1,
  };
  const ceiling = { roles: [], allow: [], models: [] };
  const secret = { hash: Buffer.alloc(32), pepperVersion: 1, expiresAt: 2 };
  const key = newKey({ ...what, ceiling, createdBy: "os:tester" }, secret);
  await store.change({ operations: [{ op: "key.insert", key }], events: [event("key.issued", { mark: name })] });
  say(`key ${key.id}`);
}
