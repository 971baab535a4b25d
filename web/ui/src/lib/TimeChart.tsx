// Lines over time: uPlot with the console's axes, tooltip, legend, zoom by dragging, and themes.
import { useEffect, useMemo, useState } from "preact/hooks";
import { align, type Cell, type Stacking } from "./chart/align";
import { Legend, type LegendMode } from "./chart/Legend";
import { lineColor } from "./chart/palette";
import { useUplot } from "./chart/useUplot";
import { type Formatter, formatShort } from "./format";
import { isDark } from "./preferences";

export interface ChartSeries {
  name: string;
  /** Unix seconds, ascending. */
  times: ArrayLike<number>;
  /** `null` is a gap in the line. */
  values: ArrayLike<Cell>;
  /** CSS colour; by default the palette's next. */
  color?: string;
  draw?: "line" | "steps" | "bars" | "points";
  /** Line width in CSS pixels. */
  width?: number;
  /** Opacity of the area below the line, 0 to 1. */
  fill?: number;
  dash?: number[];
  spanGaps?: boolean;
  /** Where this line has a unit of its own. */
  format?: Formatter;
}

export interface Threshold {
  value: number;
  color: string;
}

export interface TimeChartProps {
  series: ChartSeries[];
  /** What the chart shows, for people who do not see it. */
  label: string;
  /** The time axis in Unix seconds; by default as far as the data goes. */
  range?: { from: number; to: number };
  /** CSS pixels of the drawing without its legend; absent: fills its parent, which then needs a height. */
  height?: number;
  /** How axis, tooltip and legend write a value. */
  format?: Formatter;
  stacking?: Stacking;
  legend?: LegendMode;
  thresholds?: Threshold[];
  min?: number;
  max?: number;
  logScale?: boolean;
  /** Charts with the same key share their cursor. */
  syncKey?: string;
  /** Dragging over the chart calls this with Unix seconds; absent: no dragging. */
  onZoom?: (from: number, to: number) => void;
}

export function TimeChart(props: TimeChartProps) {
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const names = props.series.map((line) => line.name).join("\n");
  useEffect(() => setHidden(new Set()), [names]);

  const dark = isDark();
  const colors = props.series.map((line, index) => line.color ?? lineColor(index, dark));
  const aligned = useMemo(() => align(props.series), [props.series]);
  const host = useUplot({ props, aligned, colors, hidden });
  const style = props.height ? { height: `${props.height}px` } : undefined;
  return (
    <div class={props.height ? "chart" : "chart chart-fill"}>
      <div class="chart-plot" role="img" aria-label={props.label} style={style} ref={host} />
      <Legend
        series={props.series}
        colors={colors}
        mode={props.legend ?? "list"}
        hidden={hidden}
        onHide={setHidden}
        format={props.format ?? formatShort}
      />
    </div>
  );
}
