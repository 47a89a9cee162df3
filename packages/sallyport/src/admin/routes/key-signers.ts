/** Public keys of a key. A signer can do what the key can do, so the issuer must be able to grant it (R6). */
import { Problem } from "@sallyport/protocol";
import type { Answer, Body } from "@sallyport/contract";
import { readRegisteredKey } from "../../factors/registered-key.ts";
import { hmacSecret } from "../../factors/signer-of-key.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import { factorsOf } from "../../keys/key.ts";
import type { KeyRecord, KeySigner } from "../../keys/key.ts";
import { refuseMistakes } from "../call.ts";
import type { Call, Handlers } from "../call.ts";
import { isoTime, viewKey } from "../views.ts";
import { demandGivable, onPresentKey, putFactors } from "./key-factors.ts";

const SIGNERS_MAX = 16;

/** `publicKey` or `hmac`, and for Ollama's own signature only what an Ollama client can have. */
function signerMistakes({ use, publicKey, hmac }: Body<"keys.addSigner">): string[] {
  if ((publicKey === undefined) === (hmac === undefined)) return ["publicKey, hmac: name exactly one of them"];
  if (hmac) return use === "ollama" ? ["hmac: an Ollama client signs with its Ed25519 key only"] : [];
  const read = readRegisteredKey(publicKey ?? "");
  if (!read) return ["publicKey: is no Ed25519 or P-256 public key in OpenSSH, PEM or JWK form"];
  return use === "ollama" && read.algorithm !== "ed25519" ? ["publicKey: an Ollama client's key is Ed25519"] : [];
}

function signerFor(call: Call<"keys.addSigner">, key: KeyRecord): { signer: KeySigner; secret?: string } {
  const { body, ports, caller } = call;
  const made = { use: body.use, createdAt: ports.clock.now(), createdBy: caller.issuer.actor };
  if (body.hmac) {
    const id = `hmac-${randomBase62(12)}`;
    const { version } = ports.peppers.create(key.environment);
    const secret = hmacSecret(key, id, version, ports.peppers);
    if (secret === undefined) throw new Problem("fault", "the environment's pepper is missing");
    return { signer: { ...made, id, algorithm: "hmac-sha256", material: String(version) }, secret };
  }
  const { algorithm, fingerprint, material } = readRegisteredKey(body.publicKey ?? "")!;
  return { signer: { ...made, id: fingerprint, algorithm, material } };
}

export const keySignerHandlers: Handlers<"keys.addSigner" | "keys.removeSigner"> = {
  "keys.addSigner": (call) => {
    refuseMistakes(signerMistakes(call.body));
    return onPresentKey(call, async (key): Promise<Answer<"keys.addSigner">> => {
      demandGivable(call, key);
      const { signer, secret } = signerFor(call, key);
      if (key.signers.some(({ id, use }) => id === signer.id && use === signer.use))
        throw new Problem("already_exists", `${signer.id} is registered to this key already`);
      refuseMistakes(key.signers.length < SIGNERS_MAX ? [] : [`signers: a key has at most ${SIGNERS_MAX}`]);
      const next = { ...factorsOf(key), signers: [...key.signers, signer] };
      const { id, use, algorithm, createdAt } = signer;
      await putFactors(call, key, next, "key.signer_added", { signer: id, use, algorithm });
      return {
        keyId: key.id,
        id,
        use,
        algorithm,
        createdAt: isoTime(createdAt),
        ...(secret === undefined ? {} : { secret }),
      };
    });
  },
  "keys.removeSigner": (call) =>
    onPresentKey(call, async (key) => {
      const { signer } = call.body;
      const signers = key.signers.filter(({ id }) => id !== signer);
      if (signers.length === key.signers.length) throw new Problem("not_found", `there is no signer ${signer}`);
      const next = { ...factorsOf(key), signers };
      await putFactors(call, key, next, "key.signer_removed", { signer });
      return viewKey({ ...key, ...next }, call.ports.clock.now());
    }),
};
