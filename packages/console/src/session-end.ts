/** That a session has ended is noticed by any call, and said in one place. */
const listeners = new Set<() => void>();

/** Calls `hear` whenever a call was rejected because there is no session, until what it returns is called. */
export function onSessionEnded(hear: () => void): () => void {
  listeners.add(hear);
  return () => void listeners.delete(hear);
}

export function saySessionEnded(): void {
  for (const hear of listeners) hear();
}
