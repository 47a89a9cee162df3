/** What runs and waits in an environment, as people look at it. */

export interface ModelActivity {
  readonly model: string;
  readonly running: number;
  readonly waiting: number;
  readonly slots: number;
  readonly meanServiceMs: number;
  readonly predictionError: number;
}

export interface UserActivity {
  readonly principal: string;
  readonly running: number;
  readonly waiting: number;
  readonly requests: number;
  readonly computeMs: number;
  readonly meanQueueMs: number;
  readonly share: number;
}

/** One request that runs or waits, and the way to end it. */
export interface LiveRequestHandle {
  readonly environment: string;
  readonly key: string;
  readonly keyName: string;
  readonly owner: string | null;
  readonly endpoint: string;
  readonly model: string | null;
  /** Its client gets a problem that says that an administrator ended it. False if it was over before. */
  end(): boolean;
}

export interface EnvironmentActivity {
  readonly jainIndex: number;
  readonly models: readonly ModelActivity[];
  readonly servers: readonly {
    readonly id: string;
    readonly running: number;
    readonly fitness: string;
    readonly loadedModels: readonly string[];
  }[];
  readonly users: readonly UserActivity[];
  readonly requests: readonly {
    readonly id: string;
    readonly key: string;
    readonly principal: string | null;
    readonly endpoint: string;
    readonly model: string | null;
    readonly state: "running" | "waiting";
    readonly server: string | null;
    readonly sinceMs: number;
    readonly sentBytes: number;
  }[];
  readonly budgets: readonly {
    readonly account: string;
    readonly budget: string;
    readonly used: number;
    readonly amount: number;
    /** Epoch ms. */
    readonly endsAt: number;
  }[];
}
