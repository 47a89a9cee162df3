/** What a block of shell commands runs, without running it: its commands, and the words of each. */

/** The commands of a block: joined lines, without comments. */
export function commandsOf(block: string): readonly string[] {
  return block
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => withoutComment(line).trim())
    .filter((line) => line !== "");
}

/** The words of every call of the program in a command, wherever in the command it is. */
export function callsIn(command: string): readonly (readonly string[])[] {
  return piecesOf(command).flatMap((piece) => {
    const words = wordsOf(piece);
    // In `docker compose exec sallyport sallyport keys list`, the first one is a container.
    const at = words.findIndex(
      (word, i) => isProgram(word) && /^(?:--)?[a-z]/.test(words[i + 1] ?? "") && !isProgram(words[i + 1]!),
    );
    return at === 0 || (at > 0 && CALLERS.has(words[0]!)) ? [words.slice(at + 1)] : [];
  });
}

const isProgram = (word: string): boolean => word === "sallyport" || word.endsWith("/sallyport");

const CALLERS = new Set(["npx", "sudo", "docker", "exec"]);

/** Whether the command does nothing but call the program. */
export function isCallAlone(command: string): boolean {
  return /^(?:npx )?sallyport /.test(command) && piecesOf(command).length === 1 && !/\$\(|`/.test(command);
}

/** Simple commands: what stands between pipes and lists, and inside of substitutions. */
function piecesOf(command: string): readonly string[] {
  return command
    .split(/\s*(?:&&|\|\||\||;|<\(|\$\(|\))\s*/)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== "");
}

/** Words as the shell splits them, without quotes and without redirections. */
function wordsOf(piece: string): readonly string[] {
  const words = piece.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  const end = words.findIndex((word) => /^[0-9]?[<>]/.test(word));
  return words.slice(0, end < 0 ? undefined : end).map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, "$1$2"));
}

function withoutComment(line: string): string {
  const found = /(?:^|\s)#/.exec(line.replace(/'[^']*'|"[^"]*"/g, (quoted) => "x".repeat(quoted.length)));
  return found ? line.slice(0, found.index) : line;
}
