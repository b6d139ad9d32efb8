import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // The default leaves a core free, which of two is half the machine.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
