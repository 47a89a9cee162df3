/** How far a long work is, as one line that fits the terminal. */

export type ProgressUnit = "records" | "keys" | "days" | "bytes";

export interface Progressed {
  /** What is being done: `verifying the audit log`. */
  readonly label: string;
  readonly unit: ProgressUnit | undefined;
  /** Undefined where nothing can be counted: the work is another program's. */
  readonly done: number | undefined;
  /** Undefined where it is not known before the end. */
  readonly total: number | undefined;
  readonly elapsedMs: number;
}

const BAR_WIDTH = 20;

/** The longest form that fits into `columns`, which is never filled to the last: a terminal would begin a new line. */
export function progressLine(progressed: Progressed, columns: number): string {
  const { label } = progressed;
  const { bar, percent, count, rate, left } = partsOf(progressed);
  const amount = percent === "" ? count : percent;
  const forms = [
    [label, bar, percent, count, rate, left],
    [label, bar, amount, left],
    [label, amount, left],
    [label, amount],
    [amount],
  ].map((parts) => parts.filter((part) => part !== "").join("  "));
  const room = Math.max(0, columns - 1);
  return forms.find((form) => form !== "" && form.length <= room) ?? forms[0]!.slice(0, room);
}

function partsOf({ done, total, unit, elapsedMs }: Progressed) {
  const seconds = elapsedMs / 1_000;
  const waited = durationText(seconds);
  if (done === undefined || unit === undefined) return { bar: "", percent: "", count: waited, rate: "", left: "" };
  const perSecond = seconds > 0 ? done / seconds : 0;
  const rate = perSecond > 0 ? `${amountText(perSecond, unit)}/s` : "";
  if (total === undefined || total <= 0)
    return { bar: "", percent: "", count: `${amountText(done, unit)} ${unitText(unit)}`.trim(), rate, left: waited };
  const share = Math.min(1, done / total);
  const filled = Math.floor(share * BAR_WIDTH);
  return {
    bar: `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}]`,
    percent: `${Math.floor(share * 100)}%`,
    count: `${amountText(Math.min(done, total), unit)} of ${amountText(total, unit)} ${unitText(unit)}`.trim(),
    rate,
    left: perSecond > 0 ? `${durationText((1 - share) * (total / perSecond))} left` : "",
  };
}

function unitText(unit: ProgressUnit): string {
  return unit === "bytes" ? "" : unit;
}

function amountText(amount: number, unit: ProgressUnit): string {
  if (unit !== "bytes") return amount.toFixed(amount < 9.95 && amount % 1 !== 0 ? 1 : 0);
  const scaled = ["B", "kB", "MB", "GB"].map((name, power) => ({ name, value: amount / 1_000 ** power }));
  const { name, value } = scaled.find((one) => one.value < 1_000) ?? scaled.at(-1)!;
  return `${value.toFixed(value < 10 && name !== "B" ? 1 : 0)} ${name}`;
}

function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
