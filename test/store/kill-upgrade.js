/** An upgrade that is killed in its second step; where the copy before it fails, it says so and ends well. */
import { migrations } from "../../packages/sallyport/dist/store/state/migrations.js";
import { upgradeDatabase } from "../../packages/sallyport/dist/store/state/upgrade.js";

try {
  upgradeDatabase({
    directory: process.argv[2],
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    onNotice: () => {},
    migrations: [
      ...migrations,
      { to: migrations.length + 2, says: "drops the keys", apply: (database) => database.exec("DROP TABLE key") },
      { to: migrations.length + 3, says: "is killed", apply: () => process.kill(process.pid, "SIGKILL") },
    ],
  });
} catch (error) {
  process.stdout.write(`${error.code}: ${error.message}\n`);
}
