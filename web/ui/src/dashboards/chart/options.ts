// uPlot's options for a time series panel: several value axes, areas of thresholds, and each line in its own style.
import uPlot from "uplot";
import { ends, frame, labelWidth, type Look, lookOf, plainAxis, roomAround, timeAxis, zoom } from "../../lib/chart/frame";
import { withAlpha } from "../../lib/chart/palette";
import { tooltip, type TooltipLine } from "../../lib/chart/tooltip";
import { cssColor, thresholdSteps } from "../colors";
import { rangeOf } from "../display";
import type { FieldOptions } from "../model";
import { written } from "../units";
import type { Drawn, Line } from "./lines";

export interface Drawing {
  lines: readonly Line[];
  drawn: Drawn;
  hidden: ReadonlySet<number>;
  dark: boolean;
  tips: TooltipLine[];
  syncKey: string | undefined;
  /** Unix seconds of the moment: both change without a new chart. */
  range: () => { from: number; to: number };
  onZoom: (from: number, to: number) => void;
}

function paths(options: FieldOptions): uPlot.Series.PathBuilder | undefined {
  if (options.draw === "bars") return uPlot.paths.bars?.({ size: [0.8, 60], align: 0 });
  if (options.draw === "points") return () => null;
  switch (options.interpolation) {
    case "smooth":
      return uPlot.paths.spline?.();
    case "stepBefore":
      return uPlot.paths.stepped?.({ align: -1 });
    case "stepAfter":
      return uPlot.paths.stepped?.({ align: 1 });
    default:
      return uPlot.paths.linear?.();
  }
}

function points({ options, color }: { options: FieldOptions; color: string }): uPlot.Series.Points {
  const size = options.point_size ?? 5;
  if (options.draw === "points" || options.points === "always") return { show: true, size, fill: color };
  // Left to uPlot, lone samples get a point: without one they would not be seen.
  return options.points === "never" ? { show: false } : { size, fill: color };
}

function dash(options: FieldOptions): number[] | undefined {
  const style = options.line_style;
  if (!style || style.fill === "solid") return undefined;
  if (style.dash && style.dash.length > 0) return style.dash;
  return style.fill === "dot" ? [0, 6] : [10, 10];
}

function series(line: Line, hidden: boolean): uPlot.Series {
  const { options } = line.shown;
  const { color } = line;
  const opacity = (options.fill_opacity ?? 0) / 100;
  return {
    label: line.name,
    scale: line.scale,
    show: !hidden,
    stroke: color,
    width: options.draw === "points" ? 0 : (options.line_width ?? 1),
    dash: dash(options),
    cap: options.line_style?.fill === "dot" ? "round" : "butt",
    fill: opacity > 0 ? withAlpha(color, opacity) : undefined,
    fillTo: () => 0,
    spanGaps: options.span_nulls === true,
    paths: paths(options),
    points: points({ options, color }),
  };
}

function valueRange(options: FieldOptions): uPlot.Range.Function {
  const log = options.scale ? (options.scale.log === 2 ? 2 : 10) : undefined;
  return (_chart, low, high) => {
    if (low === null || high === null) return [options.min ?? 0, options.max ?? 1];
    const wanted = [Math.min(low, options.soft_min ?? low), Math.max(high, options.soft_max ?? high)] as const;
    return ends(options, log ? uPlot.rangeLog(...wanted, log, true) : roomAround(...wanted));
  };
}

/** Ticks of KiB and MiB lie on their multiples, not on round decimals. */
const POWERS_OF_TWO = Array.from({ length: 60 }, (_, power) => 2 ** power);

function isBinary(unit: string | undefined): boolean {
  return ["bytes", "kbytes", "mbytes", "gbytes", "bits", "binBps", "binbps", "KiBs", "MiBs", "GiBs"].includes(unit ?? "");
}

/** One scale and one axis for each that the lines name; the first line of a scale decides. */
function scalesAndAxes(drawing: Drawing, look: Look): { scales: uPlot.Scales; axes: uPlot.Axis[] } {
  const scales: uPlot.Scales = {};
  const axes: uPlot.Axis[] = [];
  for (const { scale, shown } of drawing.lines) {
    if (scales[scale]) continue;
    const { options } = shown;
    const distr = options.scale ? { distr: 3 as const, log: options.scale.log === 2 ? (2 as const) : (10 as const) } : {};
    scales[scale] = { range: valueRange(options), ...distr };
    const percent = options.stacking?.mode === "percent";
    axes.push({
      ...plainAxis(look),
      ...(axes.length > 0 ? { grid: { show: false } } : {}),
      scale,
      show: options.axis !== "hidden",
      side: options.axis === "right" || (axes.length > 0 && options.axis !== "left") ? 1 : 3,
      incrs: isBinary(options.unit) ? POWERS_OF_TWO : undefined,
      label: options.axis_label,
      labelFont: look.font,
      labelSize: options.axis_label ? 18 : 0,
      values: (_chart, splits) =>
        splits.map((value) => (value === null ? "" : percent ? `${Math.round(value * 100)}%` : written(value, options.unit))),
      size: labelWidth,
    });
  }
  return { scales, axes };
}

/** Lines or areas where values change their colour. */
function thresholds(drawing: Drawing): uPlot.Plugin {
  const line = drawing.lines.find(({ shown }) => (shown.options.thresholds_style ?? "off") !== "off");
  if (!line?.shown.options.thresholds) return { hooks: {} };
  const { options } = line.shown;
  const style = options.thresholds_style ?? "off";
  const { min, max } = rangeOf(line.shown);
  const steps = thresholdSteps(line.shown.options.thresholds, min, max);
  const draw = (chart: uPlot) => {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    steps.forEach(({ value, color }, index) => {
      const css = cssColor(color, drawing.dark);
      const low = Number.isFinite(value) ? chart.valToPos(value, line.scale, true) : bbox.top + bbox.height;
      const next = steps[index + 1];
      if (style.includes("area")) {
        ctx.globalAlpha = 0.12;
        ctx.fillStyle = css;
        const top = next ? chart.valToPos(next.value, line.scale, true) : bbox.top;
        ctx.fillRect(bbox.left, top, bbox.width, low - top);
      }
      if (style === "area" || !Number.isFinite(value)) return;
      ctx.globalAlpha = 0.8;
      ctx.strokeStyle = css;
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash(style.startsWith("dashed") ? [8 * devicePixelRatio, 6 * devicePixelRatio] : []);
      ctx.beginPath();
      ctx.moveTo(bbox.left, low);
      ctx.lineTo(bbox.left + bbox.width, low);
      ctx.stroke();
    });
    ctx.restore();
  };
  return { hooks: { drawAxes: draw } };
}

export function chartOptions(drawing: Drawing, element: Element): uPlot.Options {
  const look = lookOf(element);
  const { scales, axes } = scalesAndAxes(drawing, look);
  return {
    ...frame({ drags: true, syncKey: drawing.syncKey }),
    padding: [8, axes.some((axis) => axis.side === 1 && axis.show) ? 0 : 10, 0, 0],
    scales: { x: { time: true, range: () => [drawing.range().from, drawing.range().to] }, ...scales },
    axes: [timeAxis(look), ...axes],
    series: [{}, ...drawing.lines.map((line, index) => series(line, drawing.hidden.has(index)))],
    bands: drawing.drawn.bands.map(([upper, lower]) => ({ series: [upper + 1, lower + 1] })),
    plugins: [tooltip(drawing.tips), thresholds(drawing)],
    hooks: { setSelect: [zoom(drawing.onZoom)] },
  };
}
