/**
 * Writes lines to standard output or standard error without ever blocking the main thread: a stopped terminal, or a
 * pipe without a reader, would stop the whole gateway. Lines wait here within a bound; what exceeds it is dropped and
 * counted.
 */
import { close, constants, fstatSync, openSync, write, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** Most bytes that wait for a slow reader. */
const WAITING_BYTES_MAX = 1024 * 1024;
const RETRY_MS = 100;
const LAST_LINES_MS = 1_000;
const LATER = new Set(["EAGAIN", "EWOULDBLOCK", "EBUSY", "EINTR"]);

export class Output {
  readonly #fd: number;
  readonly #canBlock: boolean;
  /** Node writes to pipes and sockets without blocking, and keeps what waits itself. */
  readonly #stream: NodeJS.WriteStream | undefined;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #dropped = 0;
  #droppedSinceNotice = 0;

  constructor(fd: 1 | 2) {
    const stat = fstatSync(fd);
    if (stat.isFIFO() || stat.isSocket()) this.#stream = fd === 1 ? process.stdout : process.stderr;
    const own = isatty(fd) ? openTerminal(fd) : undefined;
    this.#fd = own ?? fd;
    this.#canBlock = own === undefined;
  }

  /** Lines dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A write is in the hands of the operating system and may never return: only where a descriptor cannot be opened again. */
  get isStuck(): boolean {
    return this.#canBlock && this.#isWriting;
  }

  /** `text` ends with a line feed. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    this.#waitingBytes = this.#stream?.writableLength ?? this.#waitingBytes;
    if (this.#waitingBytes + bytes.length > WAITING_BYTES_MAX) {
      this.#dropped++;
      this.#droppedSinceNotice++;
      return;
    }
    if (this.#stream !== undefined) {
      if (this.#waitingBytes === 0) this.#noteDropped();
      this.#stream.write(bytes);
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#isWriting) this.#flush();
  }

  /** False, and nothing is written, while earlier text still waits for its reader. */
  writeIfIdle(text: string): boolean {
    if ((this.#stream?.writableLength ?? this.#waitingBytes) > 0) return false;
    if (this.#canBlock && this.#stream === undefined) {
      try {
        writeSync(this.#fd, text);
      } catch {
        // The terminal is closed: no one can read it.
      }
    } else this.write(text);
    return true;
  }

  #flush(): void {
    const first = this.#waiting[0];
    if (first === undefined) return this.#noteDropped();
    this.#isWriting = true;
    if (this.#canBlock) {
      write(this.#fd, first, (failure, count) => this.#goOn(failure, count));
      return;
    }
    try {
      this.#goOn(null, writeSync(this.#fd, first));
    } catch (failure) {
      this.#goOn(failure as NodeJS.ErrnoException, 0);
    }
  }

  #goOn(failure: NodeJS.ErrnoException | null, count: number): void {
    if (failure !== null && LATER.has(failure.code ?? "")) {
      setTimeout(() => this.#flush(), RETRY_MS).unref();
      return;
    }
    const first = this.#waiting.shift();
    if (first !== undefined) {
      this.#waitingBytes -= first.length;
      // This descriptor has no reader any more (the terminal is closed): the line is lost, the program continues.
      if (failure !== null) this.#dropped++;
      else if (count < first.length) {
        this.#waiting.unshift(first.subarray(count));
        this.#waitingBytes += first.length - count;
      }
    }
    this.#isWriting = false;
    this.#flush();
  }

  #noteDropped(): void {
    if (this.#droppedSinceNotice === 0) return;
    const dropped = this.#droppedSinceNotice;
    this.#droppedSinceNotice = 0;
    const time = new Date().toISOString();
    const line = { level: 40, time, dropped, msg: "lines were dropped because no program read them in time" };
    this.write(`${JSON.stringify(line)}\n`);
  }
}

const outputs = new Map<number, Output>();

/** One for each descriptor: lines of the log and of the command line do not overtake each other. */
export function outputTo(fd: 1 | 2): Output {
  let output = outputs.get(fd);
  if (output === undefined) outputs.set(fd, (output = new Output(fd)));
  return output;
}

/** Lines that could not be written, of both descriptors. */
export function droppedLines(): number {
  let sum = 0;
  for (const output of outputs.values()) sum += output.dropped;
  return sum;
}

/** For the end of a server: lines without a reader must not keep the process. */
export function endWithoutReaders(): void {
  const all = [...outputs.values()];
  setTimeout(() => {
    // A write that the system never finishes holds a thread, for which an ordinary exit would wait.
    if (all.some((output) => output.isStuck)) process.kill(process.pid, "SIGKILL");
    process.exit();
  }, LAST_LINES_MS).unref();
}

/**
 * The same terminal, opened again for this program alone and without blocking: setting the shared descriptor to
 * non-blocking would do it to the shell, too. Undefined where the system does not allow it.
 */
function openTerminal(fd: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (fstatSync(own).ino === fstatSync(fd).ino) return own;
    close(own);
  } catch {
    // A terminal of another user.
  }
  return undefined;
}
