/**
 * Does one thing to a data directory and is killed at its n-th step on the disk: just before or just after a file takes
 * its place. Says "done" where it was through before that.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const [act, directory, step, when] = process.argv.slice(2);
let steps = 0;
for (const name of ["renameSync", "rmSync"]) {
  const real = fs[name];
  fs[name] = (...words) => {
    const isLast = steps++ === Number(step);
    if (isLast && when === "before") process.kill(process.pid, "SIGKILL");
    real(...words);
    if (isLast) process.kill(process.pid, "SIGKILL");
  };
}
syncBuiltinESMExports();

const acts = {
  async seal() {
    const { openSealer } = await import("../../packages/sallyport/dist/store/secrets/open-sealer.js");
    openSealer(directory);
  },
  async rekey() {
    const { rekey } = await import("../../packages/sallyport/dist/compose/rekey.js");
    const { loadSettings } = await import("../../packages/sallyport/dist/config/load-settings.js");
    const settings = loadSettings({ flags: { data: directory, log: "silent" }, env: {} });
    await rekey({ ...settings, ledger: { ...settings.ledger, reserveBytes: 0 } }, null, () => {});
  },
  async restore() {
    const { restoreDirectory } = await import("../../packages/sallyport/dist/store/backup/restore.js");
    await restoreDirectory({ from: process.argv[6], directory, identity: null });
  },
};
await acts[act]();
fs.writeSync(1, "done");
