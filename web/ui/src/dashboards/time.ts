// The page's range as two moments, in the forms that dashboards use beyond the picker's: `now/d`, milliseconds.
import { resolveRange, type TimeRange } from "../lib/timerange";
import { durationMs } from "./interval";

export interface Moments {
  from: number;
  to: number;
}

const DAY_MS = 86_400_000;

/** `now-2d/d`: rounded down for a start and up for an end; days begin at midnight of the browser. */
function moment(text: string, now: number, end: boolean): string {
  const rounded = /^(now(?:-\d+[smhdw])?)\/([hdw])$/.exec(text.trim());
  const at = rounded ? resolveRange({ from: rounded[1] ?? "now", to: "" }, now).from : Number(text);
  if (!rounded) return /^\d{12,}$/.test(text.trim()) ? new Date(at).toISOString() : text;
  const day = new Date(at === now - 1000 ? now : at);
  if (rounded[2] === "h") day.setMinutes(0, 0, 0);
  else day.setHours(0, 0, 0, 0);
  if (rounded[2] === "w") day.setTime(day.getTime() - ((day.getDay() + 6) % 7) * DAY_MS);
  const length = { h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS }[rounded[2] ?? "d"] ?? DAY_MS;
  return new Date(Math.min(day.getTime() + (end ? length : 0), now)).toISOString();
}

export function moments(range: TimeRange, now: number): Moments {
  return resolveRange({ from: moment(range.from, now, false), to: moment(range.to, now, true) }, now);
}

/** A panel's own range: `time_from` replaces the page's start, `time_shift` moves both ends back. */
export function panelMoments(page: Moments, timeFrom: string | undefined, timeShift: string | undefined): Moments {
  const own = durationMs(timeFrom?.replace(/^now-/, ""));
  const shift = durationMs(timeShift) ?? 0;
  return { from: (own ? page.to - own : page.from) - shift, to: page.to - shift };
}
