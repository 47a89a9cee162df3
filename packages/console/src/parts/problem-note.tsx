/** A problem as the gateway says it, with its remedy. */
import type { ReactNode } from "react";
import type { CallProblem } from "../calls.ts";

export function ProblemNote({ problem }: { readonly problem: CallProblem | undefined }): ReactNode {
  if (problem === undefined) return null;
  return (
    <div className="note wrong" role="alert">
      <p>
        <strong>{problem.message}</strong>
      </p>
      {problem.mistakes.length > 0 && (
        <ul>
          {problem.mistakes.map((mistake) => (
            <li key={mistake}>{mistake}</li>
          ))}
        </ul>
      )}
      {problem.remedy !== "" && <p>{problem.remedy}</p>}
    </div>
  );
}
