import { expect, it } from "vitest";
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Exchange } from "./exchange.ts";
import { LiveExchanges } from "./live-exchanges.ts";

it("a request that cannot be judged again is aborted, does not stop the others, and the fault is reported", () => {
  const live = new LiveExchanges();
  const cut: string[] = [];
  for (const id of ["faulty", "revoked", "allowed"]) {
    const interruptible = {
      cut: ({ code }: Refusal) => void cut.push(`${id} ${code}`),
      leave: () => {},
      tick: () => {},
    };
    live.add({ id, livePlace: -1, interruptible } as unknown as Exchange);
  }
  const refuseNow = ({ id }: Exchange): Refusal | undefined => {
    if (id === "faulty") throw new Error("a row is damaged");
    return id === "revoked" ? refuse("key_revoked") : undefined;
  };
  expect(() => live.recheck({ refuseNow })).toThrow("could not be judged again");
  expect(cut).toEqual(["faulty fault", "revoked key_revoked"]);
});
