import { defineConfig } from "vitest/config";
import { mockServer } from "./dev/mock.ts";

// `CULPRIT_URL=http://127.0.0.1:6700 npm run dev` works against a running server; without it the dev server
// answers from dev/mock.ts, which never reaches dist.
const server = process.env.CULPRIT_URL;
const proxied = ["/api", "/prometheus", "/healthz"];

export default defineConfig({
  base: "/ui/",
  plugins: server ? [] : [mockServer()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
  },
  server: server ? { proxy: Object.fromEntries(proxied.map((path) => [path, server])) } : {},
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
