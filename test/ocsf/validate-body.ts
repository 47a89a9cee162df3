/** A strict validator of OCSF event bodies by the extract of the schema: what it does not know is a mistake. */
import { readFileSync } from "node:fs";

interface Attribute {
  readonly type: string;
  readonly isArray?: boolean;
  readonly requirement: "required" | "recommended" | "optional";
  readonly profile?: string;
  readonly enum?: Readonly<Record<string, string>>;
}

interface Shape {
  readonly constraints: { readonly at_least_one?: readonly string[]; readonly just_one?: readonly string[] };
  readonly attributes: Readonly<Record<string, Attribute>>;
}

interface Extract {
  readonly version: string;
  readonly types: Readonly<
    Record<string, { readonly type?: string; readonly regex?: string; readonly maxLength?: number }>
  >;
  readonly objects: Readonly<Record<string, Shape>>;
  readonly classes: Readonly<Record<string, Shape & { readonly name: string; readonly categoryUid: number }>>;
}

export const extract = JSON.parse(
  readFileSync(new URL("../../testdata/ocsf/extract.json", import.meta.url), "utf8"),
) as Extract;

/** Every mistake, each with its place; none for a body the schema takes. */
export function mistakesOf(body: Readonly<Record<string, unknown>>): string[] {
  const shape = extract.classes[String(body["class_uid"])];
  if (!shape) return [`class_uid: ${String(body["class_uid"])} is not in the extract`];
  const metadata = body["metadata"] as { readonly profiles?: readonly string[]; readonly version?: string };
  const mistakes = judge(shape, body, "", new Set(metadata.profiles ?? []));
  if (metadata.version !== extract.version) mistakes.push(`metadata.version: ${String(metadata.version)}`);
  if (body["category_uid"] !== shape.categoryUid) mistakes.push("category_uid: not the class's");
  if (body["type_uid"] !== Number(body["class_uid"]) * 100 + Number(body["activity_id"])) mistakes.push("type_uid");
  if (body["activity_id"] === 99 && body["activity_name"] === undefined) mistakes.push("activity_name: is missing");
  if (body["status_id"] === 99 && body["status"] === undefined) mistakes.push("status: is missing");
  return mistakes;
}

/** Uids of class and category are inherited as the base's: they are looked at above. */
const LOOKED_AT = new Set(["class_uid", "category_uid", "type_uid"]);

function judge(shape: Shape, value: unknown, place: string, profiles: ReadonlySet<string>): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${place}: is no object`];
  const members = value as Readonly<Record<string, unknown>>;
  const mistakes: string[] = [];
  for (const [name, member] of Object.entries(members)) {
    const attribute = shape.attributes[name];
    const at = place === "" ? name : `${place}.${name}`;
    if (!attribute) mistakes.push(`${at}: is no attribute`);
    else if (attribute.profile !== undefined && !profiles.has(attribute.profile))
      mistakes.push(`${at}: belongs to the profile ${attribute.profile}, which is not named`);
    else mistakes.push(...judgeValue(attribute, member, at, profiles));
  }
  for (const [name, { requirement, profile }] of Object.entries(shape.attributes)) {
    const isAsked = profile === undefined || profiles.has(profile);
    if (requirement === "required" && isAsked && !(name in members)) mistakes.push(`${place}.${name}: is missing`);
  }
  const { at_least_one: some = [], just_one: one = [] } = shape.constraints;
  if (some.length > 0 && !some.some((name) => name in members)) mistakes.push(`${place}: needs one of ${some.join()}`);
  if (one.length > 0 && one.filter((name) => name in members).length !== 1)
    mistakes.push(`${place}: one of ${one.join()}`);
  return mistakes;
}

function judgeValue(attribute: Attribute, value: unknown, at: string, profiles: ReadonlySet<string>): string[] {
  if (!attribute.isArray) return judgeOne(attribute, value, at, profiles);
  if (!Array.isArray(value)) return [`${at}: is no list`];
  return value.flatMap((one, i) => judgeOne(attribute, one, `${at}[${i}]`, profiles));
}

function judgeOne(attribute: Attribute, value: unknown, at: string, profiles: ReadonlySet<string>): string[] {
  const { type, enum: values } = attribute;
  if (type === "object") return typeof value === "object" && value !== null ? [] : [`${at}: is no object`];
  if (!type.endsWith("_t")) {
    const shape = extract.objects[type];
    return shape ? judge(shape, value, at, profiles) : [`${at}: the object ${type} is not in the extract`];
  }
  const { type: base = type, regex, maxLength = 65_535 } = extract.types[type] ?? {};
  const isNumber = base === "integer_t" || base === "long_t";
  const isRight = isNumber
    ? Number.isSafeInteger(value)
    : base === "float_t"
      ? typeof value === "number"
      : base === "boolean_t"
        ? typeof value === "boolean"
        : typeof value === "string" && value.length <= maxLength;
  if (!isRight) return [`${at}: ${JSON.stringify(value)} is no ${type}`];
  if (regex !== undefined && !new RegExp(regex).test(String(value))) return [`${at}: ${String(value)} is no ${type}`];
  if (values && !LOOKED_AT.has(at) && !(String(value) in values)) return [`${at}: ${String(value)} is no value of it`];
  return [];
}
