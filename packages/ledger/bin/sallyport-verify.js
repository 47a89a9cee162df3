#!/usr/bin/env node
import { runVerify } from "@sallyport/ledger/node";

process.exitCode = runVerify(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
