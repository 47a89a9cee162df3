import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CertificateFiles } from "./certificate-files.ts";

const kept = join(import.meta.dirname, "../../../../testdata/tls");
let directory: string;
let files: { certificateFile: string; keyFile: string };

const put = (name: "one" | "two", what: "certificate" | "key"): void =>
  copyFileSync(
    join(kept, what === "key" ? `${name}-key.pem` : `${name}.pem`),
    what === "key" ? files.keyFile : files.certificateFile,
  );

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-tls-"));
  files = { certificateFile: join(directory, "a.pem"), keyFile: join(directory, "a-key.pem") };
  put("one", "certificate");
  put("one", "key");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it("says nothing while nothing changes, and the new pair once both files are new", () => {
  const certificates = new CertificateFiles(files);
  const first = certificates.read();
  expect(certificates.readIfChanged()).toBeNull();
  put("two", "certificate");
  expect(() => certificates.readIfChanged()).toThrow("cannot be used");
  expect(certificates.readIfChanged()).toBeNull();
  put("two", "key");
  expect(certificates.readIfChanged()?.cert).not.toEqual(first.cert);
  expect(certificates.readIfChanged()).toBeNull();
});

it("follows a link that is put in the place of another", () => {
  const link = join(directory, "live.pem");
  symlinkSync(files.certificateFile, link);
  const certificates = new CertificateFiles({ ...files, certificateFile: link });
  certificates.read();
  const other = join(directory, "b.pem");
  copyFileSync(files.certificateFile, other);
  rmSync(link);
  symlinkSync(other, link);
  expect(certificates.readIfChanged()).not.toBeNull();
});

it.each([
  ["missing", () => rmSync(files.keyFile), "tls.key: ENOENT"],
  ["nonsense", () => writeFileSync(files.certificateFile, "hello"), "tls: "],
  ["another's", () => put("two", "key"), "tls: "],
])("a file that is %s is an input mistake that names the setting", (_, harm, said) => {
  harm();
  let failure: unknown;
  try {
    new CertificateFiles(files).read();
  } catch (thrown) {
    failure = thrown;
  }
  expect(failure).toMatchObject({ code: "input_invalid", mistakes: [expect.stringContaining(said)] });
});
