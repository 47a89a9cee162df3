/** Problems as answers (RFC 9457). What is not a problem of ours is a fault and is answered without words. */
import { problems } from "@sallyport/protocol";
import type { Problem } from "@sallyport/protocol";
import type { ProblemBody } from "@sallyport/contract";

export function answerProblem(problem: Problem): Response {
  const { status, title, remedy } = problems[problem.code];
  const body: ProblemBody = {
    type: `urn:sallyport:problem:${problem.code}`,
    title,
    status,
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    code: problem.code,
    mistakes: problem.mistakes,
    remedy,
  };
  return answerJson(status, body, "application/problem+json", RETRIED.has(problem.code) ? RETRY : {});
}

/** What another try, a little later, may get past. */
const RETRIED: ReadonlySet<string> = new Set(["log_unavailable", "authority_standby"]);
const RETRY = { "retry-after": "2" };

export function answerJson(
  status: number,
  body: unknown,
  type = "application/json",
  more: Readonly<Record<string, string>> = {},
): Response {
  return answerText(status, JSON.stringify(body), type, more);
}

/** The same where the JSON is text already. */
export function answerText(
  status: number,
  text: string,
  type = "application/json",
  more: Readonly<Record<string, string>> = {},
): Response {
  const challenge: Record<string, string> =
    status === 401 ? { "www-authenticate": 'Bearer realm="sallyport-admin"' } : {};
  return new Response(text, {
    status,
    headers: {
      ...challenge,
      ...more,
      "content-type": `${type}; charset=utf-8`,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
