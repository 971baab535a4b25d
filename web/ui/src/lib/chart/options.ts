// uPlot's options out of the chart's properties: axes on a 24-hour clock, grid, stacking bands, threshold lines.
import uPlot from "uplot";
import { type Formatter, formatShort } from "../format";
import { zone } from "../preferences";
import type { ChartSeries, Threshold, TimeChartProps } from "../TimeChart";
import { withAlpha } from "./palette";
import type { Drawing } from "./useUplot";
import { tooltip, type TooltipLine } from "./tooltip";

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

function valueAxis(format: Formatter, look: Look): uPlot.Axis {
  return {
    stroke: look.text,
    font: look.font,
    grid: { stroke: look.grid, width: 1 },
    ticks: { show: false },
    gap: 6,
    space: 26,
    values: (_chart, splits) => splits.map((value) => format(value)),
    // Wide enough for the longest label, so that "1,000,000 req/s" is not cut.
    size: (_chart, values) => Math.max(36, ...(values ?? []).map((value) => value.length * 6.6 + 14)),
  };
}

function timeAxis(look: Look): uPlot.Axis {
  return {
    stroke: look.text,
    font: look.font,
    grid: { stroke: look.grid, width: 1 },
    ticks: { show: false },
    gap: 6,
    size: 40,
    space: 70,
    values: CLOCK as uPlot.Axis.Values,
  };
}

function line(series: ChartSeries, color: string, hidden: boolean, stacked: boolean): uPlot.Series {
  const fill = series.fill ?? (stacked ? 0.35 : 0);
  const draw = series.draw ?? "line";
  return {
    label: series.name,
    show: !hidden,
    stroke: color,
    width: draw === "points" ? 0 : (series.width ?? 1.5),
    dash: series.dash,
    fill: fill > 0 ? withAlpha(color, fill) : undefined,
    spanGaps: series.spanGaps ?? false,
    paths: draw === "bars" ? uPlot.paths.bars?.({ size: [0.8, 60], align: 0 }) : stepped(series),
    points:
      draw === "points"
        ? { show: true, size: 4, fill: color }
        : { size: 4, fill: color, show: true, filter: lone(draw) },
  };
}

function stepped(series: ChartSeries): uPlot.Series.PathBuilder | undefined {
  return series.draw === "steps" ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
}

/** A sample between two gaps has no line to show it, so it alone is drawn as a point; a bar shows itself. */
function lone(draw: "line" | "steps" | "bars"): uPlot.Series.Points.Filter {
  return (chart, index) => {
    if (draw === "bars") return [];
    const values = (chart.data[index] ?? []) as (number | null | undefined)[];
    const known: number[] = [];
    values.forEach((value, at) => value !== undefined && known.push(at));
    const missing = (place: number) => {
      const at = known[place];
      return at === undefined || values[at] === null;
    };
    return known.filter((at, place) => values[at] !== null && missing(place - 1) && missing(place + 1));
  };
}

function thresholdLines(thresholds: Threshold[]): uPlot.Plugin {
  return {
    hooks: {
      draw: (chart) => {
        const { ctx, bbox } = chart;
        ctx.save();
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
        for (const { value, color } of thresholds) {
          const y = Math.round(chart.valToPos(value, "y", true));
          if (y < bbox.top || y > bbox.top + bbox.height) continue;
          ctx.strokeStyle = color;
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
        }
        ctx.restore();
      },
    },
  };
}

/** Room above and below the lines; a flat line gets a scale around it, and zero stays in sight where it is near. */
function yRange(props: TimeChartProps): uPlot.Range.Function {
  return (_chart, low, high) => {
    if (low === null || high === null) return [props.min ?? 0, props.max ?? 1];
    const auto = uPlot.rangeNum(low, high, {
      min: { pad: 0.1, soft: 0, mode: 3 },
      max: { pad: 0.1, soft: 0, mode: 3 },
    });
    const from = props.min ?? auto[0] ?? low;
    const to = props.max ?? auto[1] ?? high;
    return from < to ? [from, to] : [from, from + 1];
  };
}

function xScale(latest: () => TimeChartProps): uPlot.Scale {
  return {
    time: true,
    range: (_chart, low, high) => {
      const range = latest().range;
      const from = range?.from ?? low ?? 0;
      const to = range?.to ?? high ?? 1;
      // A single sample still needs an axis with an extent.
      return from < to ? [from, to] : [from - 30, from + 30];
    },
  };
}

function zoom(latest: () => TimeChartProps): (chart: uPlot) => void {
  return (chart) => {
    const { left, width } = chart.select;
    if (width < 4) return;
    latest().onZoom?.(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
}

/** Each band fills between a running sum and the one below it. */
function bands(hidden: ReadonlySet<number>, count: number): uPlot.Band[] {
  const visible = Array.from({ length: count }, (_, index) => index).filter((index) => !hidden.has(index));
  return visible.slice(1).map((index, position) => ({ series: [index + 1, (visible[position] ?? 0) + 1] }));
}

/** `latest` gives the properties of the moment: range, format and handlers change without a new uPlot. */
export function chartOptions(
  { props, colors, hidden }: Drawing,
  lines: TooltipLine[],
  latest: () => TimeChartProps,
  look: Look,
): uPlot.Options {
  const stacked = (props.stacking ?? "none") !== "none";
  const format: Formatter = (value) => (latest().format ?? formatShort)(value);
  return {
    width: 10,
    height: 10,
    tzDate: (seconds) =>
      zone.value === "utc" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000),
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: Boolean(props.onZoom), y: false, setScale: false },
      sync: props.syncKey ? { key: props.syncKey, setSeries: false } : undefined,
    },
    scales: { x: xScale(latest), y: { range: yRange(props), distr: props.logScale ? 3 : 1 } },
    axes: [timeAxis(look), valueAxis(format, look)],
    series: [
      {},
      ...props.series.map((series, index) => line(series, colors[index] ?? "#888", hidden.has(index), stacked)),
    ],
    bands: stacked ? bands(hidden, props.series.length) : [],
    plugins: [tooltip(lines), thresholdLines(props.thresholds ?? [])],
    hooks: { setSelect: [zoom(latest)] },
  };
}
