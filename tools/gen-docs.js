// Writes the reference pages from the tables the program itself runs on; `--check` fails when a page says something else.
// Run after a build.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { findingCodes, isPermission, permissions, problems } from "../packages/protocol/dist/index.js";
import { contract, openApiDocument, policyJsonSchema } from "../packages/contract/dist/index.js";
import { builtInRoles, adminRoles } from "../packages/sallyport/dist/access/built-in-roles.js";
import { metricsRoute } from "../packages/sallyport/dist/admin/metrics-route.js";
import { eventsRoute } from "../packages/sallyport/dist/admin/events/events-route.js";
import { tailRoute } from "../packages/sallyport/dist/admin/tail-route.js";
import { LOG_OUT_PATH, PUSH_PATH } from "../packages/sallyport/dist/admin/signal-routes.js";
import { SCIM_BASE } from "../packages/sallyport/dist/admin/scim/scim-call.js";
import { endpoints } from "../packages/sallyport/dist/dataplane/wire/endpoints.js";
import { settingsJsonSchema } from "../packages/sallyport/dist/config/settings-json-schema.js";
import { VERSION } from "../packages/sallyport/dist/version.js";
import { commandLinePage } from "./reference/command-line-page.js";
import { code, NOTE, table } from "./reference/markdown.js";
import { policyPage } from "./reference/policy-page.js";
import { settingsPage } from "./reference/settings-page.js";

/** What opens an endpoint where no permission does. */
const openedOtherwise = {
  constant: "nobody: answered by the gateway",
  metadata: "nobody: answered by the gateway",
  ticket: "a delivery ticket",
  device: "nobody: a program asks for a person's log-in",
  login: "nobody: a person logs in",
  person: "a person's session",
};

const lastSegment = { none: "", model: ":model", digest: ":digest", opaque: ":key" };

const pages = {
  "docs/reference/permissions.md":
    `# Permissions\n\n${NOTE}A permission is a verb on a noun. Those of the data plane go into \`--allow\` and roles; those of administration are held by admin keys.\n\n` +
    table(
      ["permission", "plane", "needs a model selector", "lets one"],
      Object.entries(permissions).map(([name, row]) => [
        code(name),
        row.plane,
        row.needsModel ? "yes" : "no",
        row.says,
      ]),
    ) +
    "\n## Built-in roles\n\nThey name permissions; the key's or assignment's selectors name the models.\n\n" +
    table(
      ["role", "permissions"],
      builtInRoles.map((role) => [
        code(role.name),
        role.grants
          .flatMap((grant) => grant.permissions)
          .map(code)
          .join(" "),
      ]),
    ) +
    "\n## Roles of administration\n\n" +
    table(
      ["role", "permissions"],
      Object.entries(adminRoles).map(([name, held]) => [code(name), held.filter(isPermission).map(code).join(" ")]),
    ),
  "docs/reference/findings.md":
    `# Findings\n\n${NOTE}\`sallyport posture\` and \`GET /v1/findings\` report them; [posture](../guides/posture.md) explains how they are read, accepted and remedied.\n\n` +
    table(
      ["code", "severity", "what is wrong", "why it matters"],
      Object.entries(findingCodes).map(([name, { severity, says, why }]) => [code(name), severity, says, why]),
    ),
  "docs/reference/problems.md":
    `# Problem codes\n\n${NOTE}Codes are stable; sentences may change. On the data plane they stand in the caller's dialect, in administration as \`application/problem+json\` (RFC 9457).\n\n` +
    table(
      ["code", "status", "says", "remedy"],
      Object.entries(problems).map(([name, row]) => [code(name), row.status, row.title, row.remedy]),
    ),
  "docs/reference/endpoints.md":
    `# Endpoints of the data plane\n\n${NOTE}The table is closed: what is not in it is 404, also when the model server has it.\n\n` +
    table(
      ["method", "path", "dialect", "opened by any of", "query accepted and dropped", "body, at most", "recorded as"],
      endpoints.map((row) => [
        row.methods.join(", "),
        code(row.path + lastSegment[row.parameter]),
        row.dialect,
        openedOtherwise[row.way] ?? (row.anyOf.map(code).join(" ") || "a key, as an OAuth client"),
        row.query.map(code).join(" ") || "-",
        row.body === "none" ? "-" : row.body === "blob" ? "streamed" : `${row.body}, ${row.bodyBytesMax / 1024} KiB`,
        row.recorded,
      ]),
    ),
  "docs/reference/admin-api.md":
    `# Admin API\n\n${NOTE}One contract is walked by server, client and command line. Over TCP it takes an admin key (\`spa_…\`) as \`Authorization: Bearer\`; over the Unix socket in the data directory it serves the operating-system user. For programs: [openapi.json](openapi.json), which a gateway serves at \`/v1/openapi.json\`.\n\n` +
    table(
      ["name", "method", "path", "permission", "events", "what it does"],
      [...Object.entries(contract), ...[tailRoute, eventsRoute, metricsRoute].map((row) => [row.name, row])].map(
        ([name, row]) => [
          code(name),
          row.method,
          code(row.path),
          code(row.permission) + (row.caller === "socket" ? " (socket only)" : ""),
          row.events.map(code).join(" ") || "-",
          row.says,
        ],
      ),
    ) +
    "\n## Beside the contract\n\nWhat standards give other paths, shapes and errors ([people from your directory](../guides/provisioning.md)).\n\n" +
    table(
      ["path", "standard", "opened by"],
      [
        [
          code(`${SCIM_BASE}/{Users,Groups,ServiceProviderConfig,ResourceTypes,Schemas}`),
          "SCIM 2.0 (RFC 7643, 7644)",
          `an admin key with ${code("principals:read")}, for changes ${code("principals:manage")}`,
        ],
        [
          code(`POST ${PUSH_PATH}`),
          "security events, pushed (RFC 8935)",
          "the bearer of the provider's `push`, and a signed event",
        ],
        [code(`POST ${LOG_OUT_PATH}`), "OpenID Connect Back-Channel Logout 1.0", "a signed log-out token"],
      ],
    ),
  "docs/reference/settings.md": settingsPage(),
  "docs/reference/policy.md": policyPage(),
  "docs/reference/cli.md": await commandLinePage(),
  "docs/reference/openapi.json": `${JSON.stringify(openApiDocument(VERSION), null, 2)}\n`,
  "docs/reference/settings.schema.json": `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`,
  "docs/reference/policy.schema.json": `${JSON.stringify(policyJsonSchema(), null, 2)}\n`,
};

const isCheck = process.argv.includes("--check");
const drifted = [];
for (const [path, text] of Object.entries(pages)) {
  if (isCheck) {
    if (!existsSync(path) || readFileSync(path, "utf8") !== text) drifted.push(path);
    continue;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
if (drifted.length > 0) {
  console.error(`drifted from the program's tables: ${drifted.join(", ")}; run \`npm run docs\``);
  process.exit(1);
}
console.log(`reference: ${Object.keys(pages).length} pages ${isCheck ? "agree with the tables" : "written"}`);
