/// <reference types="vitest/config" />
import { defineConfig } from "vite";
import { compressed } from "./compressed";

export default defineConfig({
  // The service serves the page at `/`; relative addresses let it live elsewhere too.
  base: "./",
  plugins: [compressed()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    // Modules load without it where a browser preloads none; the first bytes are few.
    modulePreload: { polyfill: false },
  },
  test: {
    include: ["**/*.test.ts"],
    exclude: ["node_modules/**", "dist/**"],
    // Ten thousand listenings take their time on a shared machine.
    testTimeout: 120_000,
  },
});
