// After the build: writes a .br and a .gz beside every text file of dist, and fails when what a first visit loads
// (index.html with its scripts, preloads and styles) is over the limit.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const DIST = join(import.meta.dirname, "..", "dist");
const FIRST_LOAD_BYTES_MAX = 80 * 1024;
const TEXT = /\.(html|js|css|svg|json)$/;

const sizes = new Map();
for (const entry of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !TEXT.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const bytes = readFileSync(path);
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  writeFileSync(`${path}.br`, brotli);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  sizes.set(path.slice(DIST.length).replaceAll("\\", "/"), brotli.length);
}

const page = readFileSync(join(DIST, "index.html"), "utf8");
const linked = [...page.matchAll(/(?:src|href)="\/ui(\/assets\/[^"]+)"/g)].map((match) => match[1]);
const first = ["/index.html", ...linked].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
console.log(`first load ${(first / 1024).toFixed(1)} KiB brotli, all ${(total / 1024).toFixed(1)} KiB`);
if (linked.length === 0)
  throw new Error("index.html names no asset below /ui/assets/; the first load cannot be measured");
if (first > FIRST_LOAD_BYTES_MAX) {
  throw new Error(
    `the first load is over its limit of ${FIRST_LOAD_BYTES_MAX / 1024} KiB; load what it does not need with import()`,
  );
}
