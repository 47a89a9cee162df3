import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, expect, it } from "vitest";
import { parse } from "yaml";
import { leaves } from "./leaves.ts";
import { loadSettings } from "./load-settings.ts";
import { settingExamples, settingsExample } from "./settings-example.ts";
import { settingSchema, settingsJsonSchema } from "./settings-json-schema.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-settings-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** As a user does who wants every setting. The texts stay comments. */
const uncommented = settingsExample().replace(/^#(?=\w| {2}\w)/gm, "");

it("as it is, it sets nothing", () => {
  expect(parse(settingsExample())).toBeNull();
});

it("with every setting uncommented, the program takes it", () => {
  const file = join(folder, "sallyport.yaml");
  const identity = join(folder, "identity.yaml");
  writeFileSync(identity, "providers: {}\n");
  writeFileSync(file, uncommented.replace("/etc/sallyport/identity.yaml", identity));
  const settings = loadSettings({ flags: {}, env: {}, file });
  expect(settings).toMatchObject({ dataDirectory: "/var/lib/sallyport", publicUrl: "https://models.example.org" });
});

it("has every setting once, with its text, and an example exactly where there is no default", () => {
  const schema = settingsJsonSchema();
  for (const { path, variable } of leaves) {
    expect([path, settingsExample().split(`# Variable ${variable}. `).length]).toEqual([path, 2]);
    const hasDefault = settingSchema(schema, path).default !== undefined;
    expect([path, hasDefault !== path in settingExamples]).toEqual([path, true]);
  }
});

it("the JSON Schema takes what the program takes, and no other name", () => {
  const isValid = new Ajv2020({ strict: false }).compile(settingsJsonSchema());
  expect([isValid(parse(uncommented)), isValid.errors]).toEqual([true, null]);
  expect(isValid({ listen: "127.0.0.1:1", lissten: "x" })).toBe(false);
  expect(isValid({ proxyHops: 9 })).toBe(false);
});
