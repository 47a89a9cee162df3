/** Examples for the help of every command, and for the reference. A test parses each. */
import type { Command } from "commander";

/** Command lines by the name of their command, without the leading `sallyport`. */
export const examples: Readonly<Record<string, readonly string[]>> = {
  init: [
    "sallyport init",
    "sallyport init --example --out sallyport.yaml",
    "sallyport init --data /var/lib/sallyport --out recovery-key.txt",
  ],
  serve: ["sallyport serve", "sallyport serve --environments prod --listen 127.0.0.1:11435 --policy policy.yaml"],
  start: ["sallyport start", "sallyport start --listen 127.0.0.1:21435 --admin-listen 127.0.0.1:21436"],
  doctor: ["sallyport doctor", "sallyport doctor --json"],
  "limits replay": [
    "sallyport limits replay november.jsonl --policy stricter.yaml",
    "sallyport limits replay november.jsonl --policy stricter.yaml --json",
  ],
  top: ["sallyport top", "sallyport top --env prod --once", "sallyport top --json"],
  status: ["sallyport status", "sallyport status --json"],
  today: ["sallyport today", "sallyport today --json"],
  posture: ["sallyport posture", "sallyport posture --env prod --json", "sallyport posture --sarif"],
  "posture accept": [
    'sallyport posture accept wildcard_in_prod group:ml-team --until 30d --reason "the models are named next sprint"',
  ],
  "posture reopen": ["sallyport posture reopen wildcard_in_prod group:ml-team"],
  "access list": ["sallyport access list", "sallyport access list --env prod --csv"],
  apply: ["sallyport apply -f policy.yaml --dry-run", "sallyport apply -f policy.yaml --yes"],
  explain: [
    "sallyport explain --key-id my-app --path /api/chat --model llama3.2",
    "sallyport explain --key-id my-app --path /api/chat --model llama3.2 --from 10.1.7.9",
    "sallyport explain --key-id my-app --token --allow models:delete --bound",
  ],
  "keys create": [
    "sallyport keys create",
    "sallyport keys create --env dev --name my-app --role cli --model llama3.2",
    "sallyport keys create --env prod --name bot --allow infer:chat --model 'qwen3:*' --ttl 30d --requests 60/min",
    "sallyport keys create --env prod --name bot --role chatbot --model llama3.2 --deliver 2h",
  ],
  "keys list": ["sallyport keys list", "sallyport keys list --env prod --sort used", "sallyport keys list --json"],
  usage: [
    "sallyport usage",
    "sallyport usage --by principal --since 30d --format csv",
    "sallyport usage --by model --env prod --prices prices.yaml",
  ],
  "usage mine": ["sallyport usage mine", "sallyport usage mine --since 7d --json"],
  "usage rebuild": ["sallyport usage rebuild"],
  "keys show": ["sallyport keys show my-app"],
  "keys rotate": ["sallyport keys rotate my-app --grace 24h", "sallyport keys rotate my-app --finish"],
  "keys sweep": ["sallyport keys sweep --dry-run", "sallyport keys sweep"],
  "keys mine": ["sallyport keys mine --env prod", "sallyport keys mine --env prod --resume 4fT9wLq2ZbXc"],
  "keys factors": [
    "sallyport keys factors my-app",
    "sallyport keys factors my-app --network 10.1.7.0/24,10.1.8.0/24",
    "sallyport keys factors my-app --require signature",
  ],
  "keys signers add": [
    "sallyport keys signers add my-app --public-key signing.pub",
    "sallyport keys signers add laptop --ollama --public-key ~/.ollama/id_ed25519.pub",
  ],
  "keys signers list": ["sallyport keys signers list my-app"],
  "keys signers remove": ["sallyport keys signers remove my-app SHA256:fingerprint"],
  "keys path-secret": ["sallyport keys path-secret my-app", "sallyport keys path-secret my-app --remove"],
  "keys workloads add": [
    "sallyport keys workloads add my-app --template github --audience sallyport --claim repository_id=123456 --claim repository_owner_id=7890",
  ],
  "keys workloads list": ["sallyport keys workloads list my-app"],
  "keys workloads remove": ["sallyport keys workloads remove my-app w1"],
  "keys inspect": ["sallyport keys inspect spt_dev_… --url https://llm.example.org:11435"],
  "keys receive": ["sallyport keys receive spt_dev_… --url https://llm.example.org:11435 --format env --out app.env"],
  "keys suspend": ["sallyport keys suspend my-app"],
  "keys resume": ["sallyport keys resume my-app"],
  "keys revoke": ["sallyport keys revoke my-app"],
  import: [
    "sallyport import config.yaml --format litellm --dry-run",
    "sallyport import tokens.conf --format nginx-map --env dev --role chatbot --model llama3.2 --out keys.txt --yes",
    "sallyport import authorized_users.txt --format user-list --ttl 30d",
    "sallyport import tokens.json --format one-api --json --yes",
  ],
  "people create": ["sallyport people create --name ada --group ml-team"],
  "people list": ["sallyport people list", "sallyport people list --json"],
  "people show": ["sallyport people show ada"],
  "people invite": ["sallyport people invite ada"],
  "people confirm": ["sallyport people confirm ada"],
  "people uninvite": ["sallyport people uninvite ada"],
  "people disable": ["sallyport people disable ada"],
  "people enable": ["sallyport people enable ada"],
  "people assign": ["sallyport people assign ada --env dev --role chatbot --model llama3.2"],
  "people unassign": ["sallyport people unassign a_7Qm2LxT8c"],
  "services create": ["sallyport services create --name wiki --team docs"],
  "services list": ["sallyport services list"],
  "services show": ["sallyport services show wiki"],
  "services disable": ["sallyport services disable wiki"],
  "services enable": ["sallyport services enable wiki"],
  "services assign": ["sallyport services assign wiki --env prod --role embedder --model nomic-embed-text"],
  "services unassign": ["sallyport services unassign a_7Qm2LxT8c"],
  "roles list": ["sallyport roles list"],
  "roles show": ["sallyport roles show chatbot"],
  "envs list": ["sallyport envs list"],
  "envs show": ["sallyport envs show prod"],
  "upstreams list": ["sallyport upstreams list --env prod"],
  "upstreams drain": ["sallyport upstreams drain prod/u1", "sallyport upstreams drain prod/u1 --undo"],
  "upstreams credential set": ["sallyport upstreams credential set prod/u1"],
  "upstreams tls set": [
    "sallyport upstreams tls set prod/u1 --ca ca.pem",
    "sallyport upstreams tls set prod/u1 --ca ca.pem --certificate gateway.pem --key gateway-key.pem",
  ],
  "upstreams tls remove": ["sallyport upstreams tls remove prod/u1"],
  "upstreams credential remove": ["sallyport upstreams credential remove prod/u1"],
  "audit tail": ["sallyport audit tail --follow", "sallyport audit tail --follow --type key.revoked --json"],
  "audit search": [
    "sallyport audit search --key-id my-app --since 7d",
    "sallyport audit search --code model_denied --env prod --address 10.20.0.0/16 --json",
  ],
  "audit verify": ["sallyport audit verify", "sallyport audit verify audit-2026-11 --key sallyport-keys.txt"],
  "audit export": [
    "sallyport audit export --format tiles --out audit-2026-11",
    "sallyport audit export --format jsonl --out audit.jsonl",
  ],
  "audit proof": ["sallyport audit proof 4711 --out revoked.tlog-proof"],
  "audit keys": ["sallyport audit keys"],
  "audit repair": ["sallyport audit repair"],
  "audit witness": ["sallyport audit witness --name witness.example/w1 --dir ./witness --log sallyport-keys.txt"],
  "audit cosign": ["sallyport audit cosign --witness https://witness.example --witness-key witness.txt --env prod"],
  "anomalies list": ["sallyport anomalies list --since 7d"],
  "anomalies respond": [
    "sallyport anomalies respond ALERT --false-alarm",
    "sallyport anomalies respond ALERT --confirm",
  ],
  "anomalies simulate": ["sallyport anomalies simulate --seed 1 --out /tmp/traffic"],
  "anomalies score": ["sallyport anomalies score /tmp/traffic"],
  "anomalies replay": ["sallyport anomalies replay export.jsonl --policy anomalies.yaml"],
  "anomalies nab": ["sallyport anomalies nab --data ./NAB"],
  "leaks report": [
    "sallyport leaks report my-app --url https://example.org/paste/1",
    "sallyport leaks report - --json < found-key.txt",
  ],
  "leaks list": ["sallyport leaks list", "sallyport leaks list --since 7d --json"],
  "incident open": ['sallyport incident open --key-id my-app --reason "found in a public repository"'],
  "incident report": ["sallyport incident report inc_8sQ2mZ0aLw4T"],
  "incident list": ["sallyport incident list"],
  "incident close": [
    'sallyport incident close inc_8sQ2mZ0aLw4T --reissue --deliver --note "the repository is private again"',
    "sallyport incident close inc_8sQ2mZ0aLw4T --false-alarm",
  ],
  scan: [
    "sallyport scan .",
    "sallyport scan --staged",
    "sallyport scan --git . --history --baseline known-leaks.json",
    "sallyport scan --docker-archive image.tar --sarif",
  ],
  "admin reset": ["sallyport admin reset"],
  "admin keys create": [
    "sallyport admin keys create --name prometheus --role viewer --env dev",
    "sallyport admin keys create --name onboarding --role issuer --env dev --grant infer:chat --grant-model llama3.2",
  ],
  "admin keys list": ["sallyport admin keys list"],
  "admin keys revoke": ["sallyport admin keys revoke 4fT9wLq2ZbXc"],
  backup: [
    "sallyport backup /backup/2026-11-23 --to age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    "sallyport backup /backup/2026-11-23 --to env:SALLYPORT_BACKUP_PASSPHRASE",
  ],
  restore: ["sallyport restore /backup/2026-11-23 --identity age-key.txt --data /var/lib/sallyport"],
  "restore confirm": [
    "sallyport restore confirm --revocations /var/lib/sallyport.old",
    "sallyport restore confirm --yes",
  ],
  upgrade: ["sallyport upgrade"],
  rekey: ["sallyport rekey --kek --to file:/etc/sallyport/kek", "sallyport rekey --pepper --env prod"],
  credential: ["sallyport credential --url https://llm.example.org:11435"],
  token: ["sallyport token --ttl 5m --allow infer:chat --model llama3.2"],
  login: ["sallyport login --url https://models.example.org --env prod"],
  logout: ["sallyport logout --url https://models.example.org --env prod"],
  completion: ["sallyport completion bash"],
};

/** Adds the examples to the help of every command below `command`. */
export function addExamples(command: Command, path = ""): void {
  for (const inner of command.commands) {
    const name = path === "" ? inner.name() : `${path} ${inner.name()}`;
    const lines = examples[name];
    if (lines) inner.addHelpText("after", `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`);
    addExamples(inner, name);
  }
}
