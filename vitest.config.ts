import { defineConfig } from "vitest/config";

// Unit tests stand beside their file and run on the sources; what crosses a folder is in test/ and runs on the built
// program, because that is what a user runs: Node loads it as it is, without Vite in between.
export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    server: { deps: { external: [/\/packages\/[a-z]+\/dist\//] } },
  },
});
