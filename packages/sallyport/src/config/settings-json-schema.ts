/** The JSON Schema of `sallyport.yaml`, for editors: the forms of the settings' schema with the texts of their table. */
import { z } from "zod";
import { leaves } from "./leaves.ts";
import { settingsSchema } from "./settings-schema.ts";

export interface SettingsJsonSchema {
  readonly properties?: Readonly<Record<string, SettingsJsonSchema>>;
  readonly default?: unknown;
  description?: string;
}

export function settingsJsonSchema(): SettingsJsonSchema {
  const schema = z.toJSONSchema(settingsSchema, { io: "input", unrepresentable: "any" }) as SettingsJsonSchema;
  for (const { path, says } of leaves) settingSchema(schema, path).description = says;
  return schema;
}

/** The schema of one setting, by its dotted place. */
export function settingSchema(schema: SettingsJsonSchema, path: string): SettingsJsonSchema {
  let inner: SettingsJsonSchema | undefined = schema;
  for (const step of path.split(".")) inner = inner?.properties?.[step];
  if (inner === undefined) throw new TypeError(`the schema has no setting ${path}`);
  return inner;
}
