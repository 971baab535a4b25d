// uPlot's options out of the chart's properties: one axis of values, stacking bands, threshold lines.
import uPlot from "uplot";
import { type Formatter, formatShort } from "../format";
import type { ChartSeries, Threshold, TimeChartProps } from "../TimeChart";
import { ends, frame, labelWidth, type Look, plainAxis, roomAround, timeAxis, zoom } from "./frame";
import { withAlpha } from "./palette";
import type { Drawing } from "./useUplot";
import { tooltip, type TooltipLine } from "./tooltip";

function valueAxis(format: Formatter, look: Look): uPlot.Axis {
  return {
    ...plainAxis(look),
    space: 26,
    values: (_chart, splits) => splits.map((value) => format(value)),
    size: labelWidth,
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

function yRange(props: TimeChartProps): uPlot.Range.Function {
  return (_chart, low, high) => {
    if (low === null || high === null) return [props.min ?? 0, props.max ?? 1];
    return ends(props, roomAround(low, high));
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
    ...frame({ drags: Boolean(props.onZoom), syncKey: props.syncKey }),
    padding: [8, 20, 0, 0],
    scales: { x: xScale(latest), y: { range: yRange(props), distr: props.logScale ? 3 : 1 } },
    axes: [timeAxis(look), valueAxis(format, look)],
    series: [
      {},
      ...props.series.map((series, index) => line(series, colors[index] ?? "#888", hidden.has(index), stacked)),
    ],
    bands: stacked ? bands(hidden, props.series.length) : [],
    plugins: [tooltip(lines), thresholdLines(props.thresholds ?? [])],
    hooks: { setSelect: [zoom((from, to) => latest().onZoom?.(from, to))] },
  };
}
