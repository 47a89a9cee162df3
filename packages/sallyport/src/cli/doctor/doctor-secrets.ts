/**
 * Checks whether other users can read the gateway's secrets: the key-encryption key wherever the settings place it,
 * peppers, data keys, the audit log's signing key, the certificate's key, the secrets of notices and mail. It reads none of them.
 */
import { lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../../config/settings.ts";
import { fine, note, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";

const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

export function checkSecrets(settings: Settings): Finding[] {
  const { dataDirectory, keyEncryptionKey, notices, mail } = settings;
  const secrets = join(dataDirectory, "secrets");
  const isThere = isReachable(secrets);
  if (isThere === undefined)
    return [
      wrong(
        "secrets",
        "secrets_unseen",
        `${secrets} cannot be looked at as this user`,
        "run doctor as the gateway's user, or as root",
      ),
    ];
  return [
    ...(isThere ? [checkTree(secrets)] : []),
    ...(isThere ? [checkKeyEncryptionKey(keyEncryptionKey, secrets)] : []),
    ...(notices?.secret.kind === "file" ? [checkFile("notices secret", "notices_secret", notices.secret.path)] : []),
    ...(mail?.password?.kind === "file" ? [checkFile("mail password", "mail_password", mail.password.path)] : []),
  ];
}

/** Undefined where that cannot be known: the way there is closed to this user. */
function isReachable(path: string): boolean | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return undefined;
  }
}

function checkTree(root: string): Finding {
  const check = "secrets";
  const paths = [root, ...readdirSync(root, { recursive: true, encoding: "utf8" }).map((name) => join(root, name))];
  const open = paths.filter((path) => exposureOf(path, OTHERS) !== undefined);
  if (open.length === 0)
    return fine(check, "secrets", `${paths.length - 1} files and folders, readable by their owner only`);
  const said = open.slice(0, 3).map((path) => `${path} ${exposureOf(path, OTHERS)}`);
  const more = open.length > 3 ? ` and ${open.length - 3} more` : "";
  return wrong(
    check,
    "secrets_open",
    `${said.join(", ")}${more}`,
    `chmod -R go= ${root} as the gateway's user; the server does not start until then. If someone may have read them, run sallyport rekey`,
  );
}

function checkKeyEncryptionKey(source: Settings["keyEncryptionKey"], secrets: string): Finding {
  const check = "key-encryption key";
  switch (source.kind) {
    case "env":
      return fine(check, "kek", `from the variable ${source.name}`);
    case "command": {
      const exposure = exposureOf(source.path, OTHERS_WRITE);
      if (exposure === undefined) return fine(check, "kek", `from the program ${source.path}`);
      const says = `the program ${source.path} ${exposure}: who changes it gets the key`;
      return wrong(check, "kek_open", says, `make it yours alone: chmod go-w ${source.path}`);
    }
    case "file": {
      const found = checkFile(check, "kek", source.path);
      if (found.state !== "ok" || !source.path.startsWith(secrets)) return found;
      return note(
        check,
        "kek_beside",
        `${source.path} is in the data directory: anyone who copies the directory can decrypt it`,
        "move it: `sallyport rekey --kek --to file:PATH`, then set keyEncryptionKey in the settings",
      );
    }
  }
}

/** `code` for one that is in order, `code_open` and `code_missing` for one that is not. */
export function checkFile(check: string, code: string, path: string): Finding {
  if (!isReachable(path))
    return wrong(
      check,
      `${code}_missing`,
      `${path} does not exist for this user`,
      "restore the file, or correct the settings",
    );
  const exposure = exposureOf(path, OTHERS);
  if (exposure === undefined) return fine(check, code, `${path}, readable by its owner only`);
  return wrong(check, `${code}_open`, `${path} ${exposure}`, `make it the gateway's alone: chmod 600 ${path}`);
}

/** In words; undefined where only its owner, who is us or root, has these rights. */
function exposureOf(path: string, forbidden: number): string | undefined {
  const own = process.getuid?.();
  // Windows keeps no such modes.
  if (own === undefined) return undefined;
  if (!isReachable(path)) return "does not exist";
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return "leads nowhere";
  if (found.uid !== own && found.uid !== 0 && own !== 0) return "belongs to another user";
  const mode = found.mode & 0o777;
  return (mode & forbidden) === 0 ? undefined : `has mode 0${mode.toString(8)}, which lets others in`;
}
