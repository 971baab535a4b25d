// A time range as people write it: `now-1h` to `now`, or RFC 3339; empty ends mean unbounded.

export interface TimeRange {
  from: string;
  to: string;
}

export const defaultRange: TimeRange = { from: "now-1h", to: "now" };

export const presets: { label: string; from: string }[] = [
  { label: "Last 5 minutes", from: "now-5m" },
  { label: "Last 15 minutes", from: "now-15m" },
  { label: "Last 1 hour", from: "now-1h" },
  { label: "Last 6 hours", from: "now-6h" },
  { label: "Last 24 hours", from: "now-24h" },
  { label: "Last 7 days", from: "now-7d" },
  { label: "Last 30 days", from: "now-30d" },
];

const UNIT_MS: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Unix milliseconds of one end, `undefined` for an end that is open, `null` for text that is no time. */
export function resolveTime(text: string, now: number): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const relative = /^now(?:-(\d+)([smhdw]))?$/.exec(trimmed);
  if (relative) return now - Number(relative[1] ?? 0) * (UNIT_MS[relative[2] ?? "s"] ?? 0);
  // `2026-08-01 12:00` without a zone is the browser's local time, as `Date.parse` reads it with a `T`.
  const ms = Date.parse(trimmed.replace(/^(\d{4}-\d{2}-\d{2}) (?=\d)/, "$1T"));
  return Number.isNaN(ms) ? null : ms;
}

/** Both ends in Unix milliseconds, an open start meaning the last hour: charts need two ends. */
export function resolveRange(range: TimeRange, now = Date.now()): { from: number; to: number } {
  const to = resolveTime(range.to, now) ?? now;
  const from = resolveTime(range.from, now) ?? to - 3_600_000;
  return from < to ? { from, to } : { from: to - 1000, to };
}

/** What the button says. */
export function rangeLabel(range: TimeRange): string {
  if (range.from === "" && range.to === "") return "All time";
  if (range.to === "now") {
    const preset = presets.find((candidate) => candidate.from === range.from);
    if (preset) return preset.label;
    const relative = /^now-(\d+[smhdw])$/.exec(range.from);
    if (relative) return `Last ${relative[1]}`;
  }
  return `${range.from || "…"} → ${range.to || "…"}`;
}
