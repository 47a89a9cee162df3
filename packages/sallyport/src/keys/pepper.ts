/** The port to the peppers, which live outside the database: one series of versions per environment (R7). */
export interface Pepper {
  readonly version: number;
  /** 32 random bytes. */
  readonly bytes: Buffer;
}

export interface PepperRing {
  /** The newest pepper of an environment; undefined where none was made. */
  current(environment: string): Pepper | undefined;
  get(environment: string, version: number): Pepper | undefined;
  /** Makes the first pepper of an environment, on disk before it returns; gives the present one where there is one. */
  create(environment: string): Pepper;
}
