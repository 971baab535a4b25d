// The step of a query and the window of its rates, by Grafana's rules.

/** What `$__interval` and its like stand for; milliseconds. */
export interface MacroTimes {
  from: number;
  to: number;
  interval: number;
  rateInterval: number;
}

/** How often a series has a sample where nobody says it; Grafana assumes the same. */
const SCRAPE_MS = 15_000;
/** Above this the server refuses a range query. */
const POINTS_MAX = 11_000;

const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** `1h30m` in milliseconds; `undefined` for what is no duration. A leading `>` or `=` of old boards means nothing here. */
export function durationMs(text: string | undefined): number | undefined {
  const trimmed = (text ?? "").replace(/^[>=]+/, "").trim();
  if (!/^(\d+(\.\d+)?(ms|[smhdwy]))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, count, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwy])/g)) {
    total += Number(count) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return total;
}

/** As PromQL reads it. */
export function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.round(ms)}ms`;
}

// [below this, take this]
const ROUND: readonly (readonly [number, number])[] = [
  [10, 1],
  [15, 10],
  [35, 20],
  [75, 50],
  [150, 100],
  [350, 200],
  [750, 500],
  [1500, 1000],
  [3500, 2000],
  [7500, 5000],
  [12_500, 10_000],
  [17_500, 15_000],
  [25_000, 20_000],
  [45_000, 30_000],
  [90_000, 60_000],
  [210_000, 120_000],
  [450_000, 300_000],
  [750_000, 600_000],
  [1_050_000, 900_000],
  [1_500_000, 1_200_000],
  [2_700_000, 1_800_000],
  [5_400_000, 3_600_000],
  [9_000_000, 7_200_000],
  [16_200_000, 10_800_000],
  [32_400_000, 21_600_000],
  [86_400_000, 43_200_000],
  [604_800_000, 86_400_000],
  [1_814_400_000, 604_800_000],
  [3_628_800_000, 2_592_000_000],
];

export function roundInterval(ms: number): number {
  return ROUND.find(([below]) => ms < below)?.[1] ?? 31_536_000_000;
}

export interface StepRequest {
  from: number;
  to: number;
  /** Points that the panel can show. */
  points: number;
  /** The least step that the query asks for, milliseconds. */
  least?: number;
}

export function macroTimes({ from, to, points, least }: StepRequest): MacroTimes {
  const scrape = least ?? SCRAPE_MS;
  const range = Math.max(to - from, 1000);
  const wanted = roundInterval(range / Math.max(points, 1));
  const interval = Math.max(wanted, scrape, Math.ceil(range / POINTS_MAX / 1000) * 1000);
  return { from, to, interval, rateInterval: Math.max(interval + scrape, 4 * scrape) };
}
