/** The shell blocks of the guides that a test runs, in this order, in one folder and against one gateway. */

export interface ExecutedBlock {
  readonly page: string;
  /** The beginning of the block. */
  readonly begins: string;
  /** What its output must contain. */
  readonly prints: RegExp;
  /** A command of it is denied, as the page says: its exit code is not 0. */
  readonly isDenied?: true;
  /** What is written differently here than on the page, in addition to addresses, ids and secrets. */
  readonly replace?: Readonly<Record<string, string>>;
}

/** Without a terminal, an admin key is printed only with `--json`. */
const inScript = { "sallyport admin keys create": "sallyport admin keys create --json" };

const guide = (name: string): string => `docs/guides/${name}.md`;

export const executedBlocks: readonly ExecutedBlock[] = [
  {
    page: "README.md",
    begins: "npx sallyport keys create",
    prints: /sp_dev_[^]*"done":true[^]*permission_denied[^]*[Rr]evoked[^]*key\.revoked/,
    isDenied: true,
  },
  { page: guide("quick-start"), begins: "npx sallyport keys create", prints: /sp_dev_/ },
  { page: guide("quick-start"), begins: "curl http://127.0.0.1:11435/api/chat", prints: /"done":true/ },
  {
    page: guide("quick-start"),
    begins: "npx sallyport explain",
    prints: /permission_denied[^]*[Rr]evoked/,
    isDenied: true,
  },
  { page: guide("policy"), begins: "npx sallyport keys create", prints: /sp_prod_[^]*sp_dev_/ },
  { page: guide("posture"), begins: "sallyport today", prints: /nothing needs a person|1\. / },
  { page: guide("posture"), begins: "sallyport posture --env dev", prints: /SEVERITY[^]*exit code 1/, isDenied: true },
  { page: guide("posture"), begins: "sallyport access list", prints: /PERMISSION|no one/ },
  { page: guide("environments"), begins: "sallyport keys create --env prod", prints: /sp_prod_[^]*active/ },
  { page: guide("doors"), begins: "sallyport explain", prints: /allowed/ },
  {
    page: guide("doors"),
    begins: "sallyport keys create --env prod --name batch",
    prints: /sp_prod_[^]*10\.1\.8\.0\/24/,
  },
  { page: guide("key-life"), begins: "sallyport keys rotate 4fT9wLq2ZbXc --grace 24h\n", prints: /sp_dev_/ },
  { page: guide("key-life"), begins: "sallyport keys show", prints: /state +active/ },
  { page: guide("key-life"), begins: "sallyport keys rotate 4fT9wLq2ZbXc --grace 24h --deliver", prints: /spt_dev_/ },
  { page: guide("key-life"), begins: "sallyport keys inspect", prints: /SALLYPORT_API_KEY|app\.env/ },
  { page: guide("key-life"), begins: "curl -X POST", prints: /"key":"sp_dev_/ },
  { page: guide("key-life"), begins: "sallyport keys sweep", prints: /due|nothing/ },
  {
    page: guide("tokens"),
    begins: "curl -u",
    prints: /"access_token":"eyJ[^]*"models":/,
  },
  { page: guide("tokens"), begins: "sallyport explain", prints: /models:delete/ },
  { page: guide("login"), begins: "sallyport people create", prints: /ada[^]*code/ },
  { page: guide("provisioning"), begins: "sallyport admin keys create", prints: /spa_/, replace: inScript },
  {
    page: guide("observing"),
    begins: "npx sallyport admin keys create",
    prints: /spa_[^]*sallyport_requests_total[^]*sallyport_requests_total/,
    replace: inScript,
  },
  { page: guide("audit-export"), begins: "sallyport audit search", prints: /"records"/ },
  { page: guide("shared-nginx-token"), begins: "curl", prints: /ok/ },
  { page: guide("shared-nginx-token"), begins: "sallyport keys create", prints: /sp_dev_[^]*sp_dev_/ },
  {
    page: guide("import"),
    begins: "npx sallyport import tokens.conf --format nginx-map --dry-run",
    prints: /wiki-bot/,
  },
  { page: guide("proof"), begins: "sallyport audit keys", prints: /^$/ },
  { page: guide("proof"), begins: "sallyport audit export", prints: /ledger-2026-11/ },
  {
    page: guide("proof"),
    begins: "sallyport audit verify ledger-2026-11 --key sallyport-keys.txt\n",
    prints: /whole[^]*"ok":true/,
  },
  { page: guide("proof"), begins: "sallyport audit search", prints: /key\.revoked[^]*whole/ },
  {
    page: guide("uninstall"),
    begins: "sallyport audit keys",
    prints: /sallyport-audit/,
    replace: { "sallyport-keys.txt": "keys-2.txt" },
  },
  { page: guide("operations"), begins: "sallyport audit verify\n", prints: /ledger {3}whole/ },
  { page: guide("operations"), begins: "sallyport audit verify --state", prints: /rows/ },
  { page: guide("operations"), begins: "sallyport backup", prints: /backup/, replace: { "/backup/": "./" } },
  { page: guide("incident"), begins: "sallyport incident open", prints: /inc_/ },
  { page: guide("incident"), begins: "sallyport incident report", prints: /inc_/ },
  { page: guide("incident"), begins: "sallyport incident close", prints: /spt_dev_/ },
  { page: guide("incident"), begins: "sallyport incident list", prints: /no open incidents|inc_/ },
];

/** Blocks that another test runs, and what that test finds them by. */
export const executedElsewhere: readonly {
  readonly page: string;
  readonly begins: string;
  readonly test: string;
  readonly finds: string;
}[] = [
  { begins: "openssl genpkey", finds: "openssl genpkey" },
  { begins: "openssl pkey -in signing.pem -pubout -out", finds: "keys signers add" },
  { begins: "#!/bin/sh", finds: "#!/bin/sh" },
  { begins: "chmod +x sign.sh", finds: "./sign.sh GET" },
].map((row) => ({ page: guide("signing"), test: "test/signing/guide.test.ts", ...row }));
