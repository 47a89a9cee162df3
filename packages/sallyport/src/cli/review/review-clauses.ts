/** Which clauses of which standards ask for what a report of a review shows. The words are ours; the auditor has the texts. */
export interface Clause {
  readonly standard: string;
  readonly clause: string;
  readonly asks: string;
  /** Where the report shows it. */
  readonly shown: string;
}

export const clauses: readonly Clause[] = [
  {
    standard: "SOC 2 (TSC 2017)",
    clause: "CC6.1",
    asks: "who has logical access is known and restricted",
    shown: "population.jsonl: everything that gave a right at the freeze, with its hash in the audit log",
  },
  {
    standard: "SOC 2 (TSC 2017)",
    clause: "CC6.2",
    asks: "access that is no longer needed is removed",
    shown: "lines with the outcome revoked or suspended, each with its record in proofs.jsonl",
  },
  {
    standard: "SOC 2 (TSC 2017)",
    clause: "CC6.3",
    asks: "access follows roles and least privilege, and is reviewed and changed",
    shown: "every decision with its reviewer, reason and time; lines with the outcome narrowed",
  },
  {
    standard: "ISO/IEC 27001:2022",
    clause: "A.5.18",
    asks: "access rights are reviewed, modified and removed by rules",
    shown: "the lines with their risks, decisions and outcomes; reviewers are neither owner nor issuer",
  },
  {
    standard: "NIS2, Implementing Regulation (EU) 2024/2690",
    clause: "11.2",
    asks: "a register of access rights, reviewed at planned intervals, with documented results",
    shown: "population.jsonl is the register; the schedule, the results and their records are in report.json",
  },
  {
    standard: "PCI DSS 4.0.1",
    clause: "7.2.4",
    asks: "all user accounts and their access are reviewed at least every six months",
    shown: "the time of the review, its population, and that every line has an outcome; keys and services for 7.2.5.1",
  },
];
