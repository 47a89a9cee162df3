export { ledgerCrypto, treeHash } from "./ledger-crypto.ts";
export { exportFilesAt } from "./export-files.ts";
export { readBounded, readStart } from "./read-bounded.ts";
export { readPins, verifiersOf, verifyFile } from "./verify-file.ts";
export { runVerify } from "./command.ts";
