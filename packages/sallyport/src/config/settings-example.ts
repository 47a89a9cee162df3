/** `sallyport.yaml` with every setting as a comment: its text, its variable, and its default or an example. */
import { leaves } from "./leaves.ts";
import { settingSchema, settingsJsonSchema } from "./settings-json-schema.ts";

/** What is written where a setting has no default. */
export const settingExamples: Readonly<Record<string, unknown>> = {
  data: "/var/lib/sallyport",
  keyEncryptionKey: "file:/etc/sallyport/kek",
  "tls.certificate": "/etc/sallyport/tls/cert.pem",
  "tls.key": "/etc/sallyport/tls/key.pem",
  publicUrl: "https://models.example.org",
  environments: ["dev"],
  upstreamHosts: ["127.0.0.1:11434", "10.1.0.0/24"],
  policy: "/etc/sallyport/policy.yaml",
  otlp: "http://127.0.0.1:4318",
  "oidc.issuer": "https://id.example.org",
  "oidc.clientId": "sallyport",
  "oidc.clientSecret": "file:/etc/sallyport/oidc-secret",
  "notices.url": "https://alarms.example.org/sallyport",
  "notices.secret": "file:/etc/sallyport/notices-secret",
  "notices.smtp": "smtps://gateway%40example.org@mail.example.org:465",
  "notices.smtpPassword": "file:/etc/sallyport/smtp-password",
  "notices.from": "gateway@example.org",
  "notices.to": ["ops@example.org"],
  identity: "/etc/sallyport/identity.yaml",
};

const WIDTH = 110;
const HEAD = [
  "Settings of Sallyport. Every setting is a comment that shows its default, or an example if it has no default.",
  "To change a setting, remove the `#` at the beginning of its line and of the line of its group (such as `#tls:`).",
];

export function settingsExample(): string {
  const schema = settingsJsonSchema();
  const lines = HEAD.map((line) => `# ${line}`);
  let group = "";
  for (const { path, variable, says } of leaves) {
    const [first, inner] = path.split(".") as [string, string?];
    const indent = inner === undefined ? "" : "  ";
    lines.push("");
    if (inner !== undefined && first !== group) lines.push(`#${first}:`);
    group = first;
    const { default: standard } = settingSchema(schema, path);
    for (const text of wrap(sentence(says))) lines.push(`# ${text}`);
    lines.push(`# Variable ${variable}. ${standard === undefined ? "An example:" : "Default:"}`);
    lines.push(`#${indent}${inner ?? first}: ${JSON.stringify(standard ?? settingExamples[path])}`);
  }
  return `${lines.join("\n")}\n`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Lines that end between words. */
function wrap(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
