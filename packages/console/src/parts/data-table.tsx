/** A table with a caption for those who do not see it, and a word where it is empty. */
import type { ReactNode } from "react";

export interface Column<T> {
  readonly name: string;
  readonly show: (row: T) => ReactNode;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
}

interface TableProps<T> {
  readonly caption: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly empty: ReactNode;
}

export function DataTable<T>({ caption, rows, columns, keyOf, empty }: TableProps<T>): ReactNode {
  if (rows.length === 0) return <div className="empty">{empty}</div>;
  return (
    <div className="scroll" role="group" aria-label={caption} tabIndex={0}>
      <table>
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ name, isNumber }) => (
              <th key={name} scope="col" className={isNumber ? "number" : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ name, show, isNumber }) => (
                <td key={name} className={isNumber ? "number" : undefined}>
                  {show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
