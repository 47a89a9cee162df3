// Writes testdata/ocsf/extract.json: the classes and objects of the OCSF schema that our bodies use, resolved (extends,
// includes, dictionary) and without descriptions. `node tools/keep-ocsf-extract.js GIT_DIR` with a clone of ocsf/ocsf-schema.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const CLASSES = {
  base_event: "events/base_event.json",
  application: "events/application/application.json",
  api_activity: "events/application/api_activity.json",
  iam: "events/iam/iam.json",
  account_change: "events/iam/account_change.json",
  authentication: "events/iam/authentication.json",
  authorize_session: "events/iam/authorize_session.json",
  entity_management: "events/iam/entity_management.json",
  user_access: "events/iam/user_access.json",
  finding: "events/findings/finding.json",
  detection_finding: "events/findings/detection_finding.json",
};
const ABSTRACT = new Set(["application", "iam", "finding"]);
/** Whatever else an attribute may be is not in the extract: a body that has it fails the test, and it is added here. */
const OBJECTS = [
  "actor", "ai_model", "api", "finding_info", "iam_role", "managed_entity", "message_context", "metadata",
  "network_endpoint", "product", "request", "response", "service", "session", "user",
]; // prettier-ignore

const [, , gitDirectory] = process.argv;
if (!gitDirectory) throw new Error("name the git directory of a clone of ocsf/ocsf-schema");
const git = (...words) =>
  execFileSync("git", [`--git-dir=${gitDirectory}`, ...words], { encoding: "utf8", maxBuffer: 1e8 });
const read = (path) => JSON.parse(git("show", `HEAD:${path}`));

const dictionary = read("dictionary.json");
const categories = read("categories.json").attributes;

/** Name -> attribute, as this file and all it extends and includes say. */
function attributesOf(file, parent) {
  const attributes = {};
  const add = (more, profile) => {
    for (const [name, said] of Object.entries(more)) {
      if (name.startsWith("$")) continue;
      const held = attributes[name] ?? {};
      const { requirement, enum: values } = said;
      attributes[name] = {
        ...held,
        ...(requirement === undefined ? {} : { requirement }),
        ...(profile === undefined ? {} : { profile }),
        ...(said.profile === null ? { profile: undefined } : {}),
        ...(values ? { enum: { ...held.enum, ...captions(values) } } : {}),
      };
    }
  };
  if (parent) for (const [name, attribute] of Object.entries(parent)) attributes[name] = { ...attribute };
  for (const include of [file.attributes.$include ?? []].flat()) {
    const profile = read(include);
    add(profile.attributes, profile.name);
  }
  add(file.attributes);
  return attributes;
}

const captions = (values) => Object.fromEntries(Object.entries(values).map(([key, { caption }]) => [key, caption]));

/** With the dictionary's types. */
function typed(attributes) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { requirement = "optional", profile, enum: values }]) => {
      const known = dictionary.attributes[name];
      if (!known) throw new Error(`the dictionary does not know ${name}`);
      const all = { ...(known.enum ? captions(known.enum) : {}), ...values };
      return [
        name,
        {
          type: known.type,
          ...(known.is_array ? { isArray: true } : {}),
          requirement,
          ...(profile === undefined ? {} : { profile }),
          ...(Object.keys(all).length > 0 ? { enum: all } : {}),
        },
      ];
    }),
  );
}

const resolved = {};
const classes = {};
for (const [name, path] of Object.entries(CLASSES)) {
  const file = read(path);
  resolved[name] = attributesOf(file, file.extends && resolved[file.extends]);
  if (ABSTRACT.has(name)) continue;
  const parent = file.extends && read(CLASSES[file.extends] ?? "");
  const category = file.category ?? parent?.category;
  const categoryUid = categories[category]?.uid ?? 0;
  const uid = categoryUid * 1000 + (file.uid ?? 0);
  classes[uid] = { name, categoryUid, constraints: file.constraints ?? {}, attributes: typed(resolved[name]) };
}

function objectOf(name) {
  const file = read(`objects/${name}.json`);
  const parent =
    file.extends && file.extends !== "object" ? objectOf(file.extends) : { attributes: {}, constraints: {} };
  return {
    attributes: attributesOf(file, parent.attributes),
    constraints: file.constraints ?? parent.constraints,
  };
}

const objects = Object.fromEntries(
  OBJECTS.map((name) => {
    const { attributes, constraints } = objectOf(name);
    return [name, { constraints, attributes: typed(attributes) }];
  }),
);
const types = Object.fromEntries(
  Object.entries(dictionary.types.attributes).map(([name, { type, regex, max_len: maxLength, range }]) => [
    name,
    {
      ...(type ? { type } : {}),
      ...(regex ? { regex } : {}),
      ...(maxLength ? { maxLength } : {}),
      ...(range ? { range } : {}),
    },
  ]),
);
const notice =
  "From the OCSF schema (https://github.com/ocsf/ocsf-schema), Copyright OCSF a Series of LF Projects, LLC; Apache License 2.0. Resolved and shortened: descriptions are left out.";
const extract = {
  notice,
  commit: git("rev-parse", "HEAD").trim(),
  version: read("version.json").version,
  types,
  objects,
  classes,
};
writeFileSync(join(import.meta.dirname, "../testdata/ocsf/extract.json"), `${JSON.stringify(extract, null, 1)}\n`);
