// What every chart over time has: the theme's look, a 24-hour clock below, room around its values, a range to drag.
import uPlot from "uplot";
import { zone } from "../preferences";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const YEAR = 365 * DAY;

// [tick distance, format, then what to add where the year, month, day … changes], as uPlot documents `axis.values`.
const CLOCK: (string | number | null)[][] = [
  [YEAR, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * DAY, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [DAY, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [HOUR, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [MINUTE, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [0.001, ":{ss}.{fff}", "\n{YYYY}-{MM}-{DD} {HH}:{mm}", null, "\n{MM}-{DD} {HH}:{mm}", null, "\n{HH}:{mm}", null, 1],
];

export interface Look {
  text: string;
  grid: string;
  font: string;
}

/** The colours of the theme, read once per drawing. */
export function lookOf(element: Element): Look {
  const style = getComputedStyle(element);
  return {
    text: style.getPropertyValue("--muted").trim() || "#777",
    grid: style.getPropertyValue("--grid").trim() || "#ddd",
    font: `11px ${style.fontFamily || "sans-serif"}`,
  };
}

/** Of values and of time alike. */
export function plainAxis(look: Look): uPlot.Axis {
  return { stroke: look.text, font: look.font, grid: { stroke: look.grid, width: 1 }, ticks: { show: false }, gap: 6 };
}

export function timeAxis(look: Look): uPlot.Axis {
  return { ...plainAxis(look), size: 40, space: 70, values: CLOCK as uPlot.Axis.Values };
}

/** Wide enough for the longest label, so that "1,000,000 req/s" is not cut. */
export function labelWidth(_chart: uPlot, values: string[] | null): number {
  return Math.max(36, ...(values ?? []).map((value) => value.length * 6.6 + 14));
}

/** Room above and below the lines; zero stays in sight where it is near. */
export function roomAround(low: number, high: number): uPlot.Range.MinMax {
  return uPlot.rangeNum(low, high, { min: { pad: 0.1, soft: 0, mode: 3 }, max: { pad: 0.1, soft: 0, mode: 3 } });
}

/** Fixed ends win over what was found; a flat line gets a scale around it. */
export function ends(fixed: { min?: number; max?: number }, found: uPlot.Range.MinMax): uPlot.Range.MinMax {
  const from = fixed.min ?? found[0] ?? 0;
  const to = fixed.max ?? found[1] ?? 1;
  return from < to ? [from, to] : [from, from + 1];
}

/** Tells the range that was dragged; a few pixels are a click. */
export function zoom(onZoom: (from: number, to: number) => void): (chart: uPlot) => void {
  return (chart) => {
    const { left, width } = chart.select;
    if (width < 4) return;
    onZoom(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
}

/** The size is set by whoever places the chart. */
export function frame(how: { drags: boolean; syncKey: string | undefined }) {
  return {
    width: 10,
    height: 10,
    tzDate: (seconds: number) =>
      zone.value === "utc" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000),
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: how.drags, y: false, setScale: false },
      sync: how.syncKey ? { key: how.syncKey, setSeries: false } : undefined,
    },
  } satisfies Partial<uPlot.Options>;
}
