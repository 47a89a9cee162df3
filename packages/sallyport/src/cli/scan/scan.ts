/** `sallyport scan`: finds Sallyport keys in files, archives, git repositories and standard input. */
import type { Command } from "commander";
import type { GitScope } from "../../leaks/scan-git.ts";
import type { Leak } from "../../leaks/scan-content.ts";
import type { ScanListener } from "../../leaks/scan-source.ts";
import { VERSION } from "../../version.ts";
import type { Cli } from "../terminal/cli.ts";
import { demandGivenPath } from "../terminal/given-path.ts";
import { withProgress } from "../terminal/progress.ts";
import { UsageMistake } from "../terminal/usage-mistake.ts";
import { demandedBaseline, saveBaseline } from "./baseline-file.ts";
import { standingOf } from "./key-standing.ts";
import { printReport } from "./scan-report.ts";
import type { Skipped } from "./scan-report.ts";

export interface ScanOptions {
  readonly git?: string;
  readonly history?: boolean;
  readonly pushed?: string[];
  readonly staged?: boolean;
  readonly dockerArchive?: string;
  readonly json?: boolean;
  readonly sarif?: boolean;
  readonly baseline?: string;
  readonly writeBaseline?: string;
  readonly strict?: boolean;
  readonly offline?: boolean;
  readonly url?: string;
  readonly data?: string;
}

export function addScan(program: Command, cli: Cli): void {
  program
    .command("scan [paths...]")
    .description(
      "find Sallyport keys in files, archives, git repositories or standard input (-); exit code 1 if it finds one",
    )
    .option("--git <repository>", "scan the files that are committed in a git repository")
    .option("--history", "with --git: scan everything that was ever committed")
    .option("--pushed <revisions...>", "with --git: scan what these revisions add, for a pre-receive hook")
    .option("--staged", "scan what is staged for the next commit")
    .option("--docker-archive <file>", "scan an image that `docker save` wrote")
    .option("--json", "print JSON")
    .option("--sarif", "print SARIF 2.1.0")
    .option("--baseline <file>", "do not report the findings that are listed in this file")
    .option("--write-baseline <file>", "write all findings into this file, and exit with 0")
    .option("--strict", "exit with 3 if something could not be scanned")
    .option("--offline", "do not ask a gateway about the keys")
    .option(
      "--url <url>",
      "admin API to ask about the keys, by id (default: SALLYPORT_ADMIN_URL, else this machine's gateway)",
    )
    .option("--data <dir>", "data directory of the gateway to ask (SALLYPORT_DATA, else ~/.sallyport)")
    .action((paths: readonly string[], options: ScanOptions) => scan(cli, paths, options));
}

async function scan(cli: Cli, paths: readonly string[], options: ScanOptions): Promise<void> {
  demandOneTarget(paths, options);
  const known = options.baseline === undefined ? undefined : demandedBaseline(cli.io, options.baseline);
  const leaks: Leak[] = [];
  const skipped: Skipped[] = [];
  let bytes = 0;
  const isQuiet = options.json === true || options.sarif === true;
  const files = await withProgress(cli.io, { label: "scanning", isJson: isQuiet }, (onProgress) => {
    const listener: ScanListener = {
      onLeak: (leak) => leaks.push(leak),
      onSkip: (file, reason) => skipped.push({ file, reason }),
      onBytes: (count) => {
        bytes += count;
        onProgress("bytes", bytes);
      },
    };
    return scanTarget(cli, paths, options, listener);
  });
  if (options.writeBaseline !== undefined) return saveBaseline(cli.io, options.writeBaseline, leaks);
  const reported = known === undefined ? leaks : leaks.filter((leak) => !known(leak));
  const standing = await standingOf(reported, options, cli.io.env);
  await printReport(cli.io, options, {
    files,
    bytes,
    leaks: reported,
    standing,
    skipped,
    suppressed: leaks.length - reported.length,
    version: VERSION,
  });
  if (reported.length > 0) cli.found();
  else if (options.strict && skipped.length > 0)
    throw new Error(`${skipped.length} items could not be scanned completely, and --strict was given`);
}

function demandOneTarget(paths: readonly string[], options: ScanOptions): void {
  const { git, history, pushed, staged, dockerArchive, json, sarif } = options;
  const targets = [paths.length > 0, git !== undefined, staged, dockerArchive !== undefined].filter(Boolean).length;
  if (targets === 0)
    throw new UsageMistake(
      "nothing to scan",
      "name a path, or pass one of --git REPOSITORY, --staged, --docker-archive FILE, or - for standard input",
    );
  if (targets > 1) throw new UsageMistake("paths, --git, --staged and --docker-archive exclude each other");
  if ((history || pushed !== undefined) && git === undefined)
    throw new UsageMistake(`${history ? "--history" : "--pushed"} needs --git REPOSITORY`);
  if (history && pushed !== undefined) throw new UsageMistake("--history and --pushed exclude each other");
  if (json && sarif) throw new UsageMistake("--json and --sarif exclude each other");
  if (paths.includes("-") && paths.length > 1) throw new UsageMistake("- (standard input) is scanned alone");
  for (const path of paths) demandGivenPath(path, "any");
  if (git !== undefined) demandGivenPath(git, "directory");
  if (dockerArchive !== undefined) demandGivenPath(dockerArchive, "file");
}

async function scanTarget(
  cli: Cli,
  paths: readonly string[],
  { git, history, pushed, staged, dockerArchive }: ScanOptions,
  listener: ScanListener,
): Promise<number> {
  const onTurn = turns();
  if (git !== undefined || staged) {
    const scope: GitScope =
      pushed === undefined
        ? { kind: staged ? "staged" : history ? "history" : "head" }
        : { kind: "pushed", revisions: pushed };
    return scanRepository(cli, git ?? ".", scope, listener, onTurn);
  }
  if (paths[0] === "-") {
    const { scanStream } = await import("../../leaks/scan-stream.ts");
    await scanStream(cli.io.input(), "standard input", listener);
    return 1;
  }
  const { scanPaths } = await import("../../leaks/scan-files.ts");
  return scanPaths(dockerArchive === undefined ? paths : [dockerArchive], listener, onTurn);
}

async function scanRepository(
  cli: Cli,
  path: string,
  scope: GitScope,
  listener: ScanListener,
  onTurn: () => Promise<void>,
): Promise<number> {
  const { scanGit } = await import("../../leaks/scan-git.ts");
  const { askGit, GitFailure } = await import("../../leaks/git-objects.ts");
  const repository = { path, env: cli.io.env };
  try {
    await askGit(repository, ["rev-parse", "--git-dir"]);
  } catch (cause) {
    if (!(cause instanceof GitFailure)) throw cause;
    throw new UsageMistake(`${path}: ${cause.message}`, "name a git repository that you may read");
  }
  return scanGit(repository, scope, listener, onTurn);
}

const TURN_MS = 50;

/** Lets the progress line be drawn, and Ctrl-C be seen, without a pause after every small file. */
function turns(): () => Promise<void> {
  let lastMs = performance.now();
  return async () => {
    if (performance.now() - lastMs < TURN_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    lastMs = performance.now();
  };
}
