// Numbers, sizes, durations and times as text. Twenty-four hour clock everywhere; the zone is the reader's choice.
import { zone } from "./preferences";

export type Formatter = (value: number) => string;

const plain = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** Up to `digits` significant digits, without trailing zeros or exponent for everyday sizes. */
function significant(value: number, digits: number): string {
  const text = Number(value.toPrecision(digits)).toString();
  return text.includes("e") ? value.toExponential(2) : text;
}

function scaled(value: number, factor: number, suffixes: readonly string[]): string {
  if (!Number.isFinite(value)) return special(value);
  let rest = Math.abs(value);
  let index = 0;
  while (rest >= factor && index < suffixes.length - 1) {
    rest /= factor;
    index += 1;
  }
  return `${value < 0 ? "-" : ""}${significant(rest, rest >= 1000 ? 4 : 3)}${suffixes[index]}`;
}

function special(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

/** `1234567` → `1.23M`; for axes and legends. */
export const formatShort: Formatter = (value) => scaled(value, 1000, ["", "k", "M", "G", "T", "P"]);

/** `1536` → `1.5 KiB`. */
export const formatBytes: Formatter = (value) => scaled(value, 1024, [" B", " KiB", " MiB", " GiB", " TiB", " PiB"]);

/** Thousands separated, two decimals at most; for counts that a person reads. */
export const formatCount: Formatter = (value) => (Number.isFinite(value) ? plain.format(value) : special(value));

/** A share of one: `0.904` → `90.4 %`; small shares keep two digits, so that they never read as zero. */
export const formatShare: Formatter = (value) => {
  if (!Number.isFinite(value)) return special(value);
  const percent = value * 100;
  if (percent === 0) return "0 %";
  if (Math.abs(percent) < 0.01) return "< 0.01 %";
  if (Math.abs(percent) < 1) return `${significant(percent, 2)} %`;
  // 99.96 must not read as "100": what is rounded up to everything would be a false claim.
  const rounded = Math.abs(percent) < 100 ? Math.min(Math.round(percent * 10) / 10, 99.9) : percent;
  return `${significant(rounded, 3)} %`;
};

/** Seconds as the two largest units: `3725` → `1h 2m`. */
export const formatDuration: Formatter = (seconds) => {
  if (!Number.isFinite(seconds)) return special(seconds);
  if (Math.abs(seconds) < 1) return `${significant(seconds * 1000, 3)}ms`;
  let rest = Math.round(Math.abs(seconds));
  const parts: string[] = [];
  for (const [size, unit] of [
    [86400, "d"],
    [3600, "h"],
    [60, "m"],
    [1, "s"],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return (seconds < 0 ? "-" : "") + (parts.slice(0, 2).join(" ") || "0s");
};

function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

interface Fields {
  date: string;
  time: string;
  millis: string;
}

function fields(ms: number): Fields {
  const at = new Date(ms);
  const utc = zone.value === "utc";
  const year = utc ? at.getUTCFullYear() : at.getFullYear();
  const month = (utc ? at.getUTCMonth() : at.getMonth()) + 1;
  const day = utc ? at.getUTCDate() : at.getDate();
  const hour = utc ? at.getUTCHours() : at.getHours();
  const minute = utc ? at.getUTCMinutes() : at.getMinutes();
  const second = utc ? at.getUTCSeconds() : at.getSeconds();
  return {
    date: `${pad(year, 4)}-${pad(month)}-${pad(day)}`,
    time: `${pad(hour)}:${pad(minute)}:${pad(second)}`,
    millis: pad(at.getUTCMilliseconds(), 3),
  };
}

/** `2026-08-01 13:05:09` in the reader's zone; `ms` is Unix milliseconds. */
export function formatTime(ms: number): string {
  if (!Number.isFinite(ms)) return "";
  const { date, time } = fields(ms);
  return `${date} ${time}`;
}

/** The time of day, with the date in front when it is not today's. */
export function formatMoment(ms: number, now = Date.now()): string {
  const at = fields(ms);
  return at.date === fields(now).date ? at.time : `${at.date} ${at.time}`;
}

/** RFC 3339 text in the reader's zone, its sub-second digits kept as they are; other text comes back unchanged. */
export function formatTimestamp(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return text;
  const fraction = /\.(\d+)/.exec(text)?.[1]?.replace(/0+$/, "") ?? "";
  return formatTime(ms) + (fraction ? `.${fraction}` : "");
}

/** How long ago `text` (RFC 3339) was: `2m 5s ago`. */
export function formatAge(text: string, now = Date.now()): string {
  return `${formatDuration(Math.max(Math.floor((now - Date.parse(text)) / 1000), 0))} ago`;
}
