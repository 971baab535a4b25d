// Lines, bars and points over time.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { align } from "../../lib/chart/align";
import { afterClick } from "../../lib/chart/Legend";
import type { TooltipLine } from "../../lib/chart/tooltip";
import { isDark, zone } from "../../lib/preferences";
import { bridged, drawn, type Line, linesOf } from "../chart/lines";
import { chartOptions, type Drawing } from "../chart/options";
import { shown } from "../display";
import type { PanelOf } from "../model";
import { written } from "../units";
import { Legend } from "./Legend";
import type { PanelProps } from "./props";

function tips(lines: readonly Line[], columns: TooltipLine["values"][]): TooltipLine[] {
  return lines.map(({ name, color, shown: { options } }, index) => ({
    name,
    color,
    format: (value) => written(value, options.unit, options.decimals),
    values: options.hide_from?.tooltip ? [] : (columns[index] ?? []),
  }));
}

/** Equal texts mean that the same uPlot will do. */
function shape({ lines, hidden, drawn: { bands }, syncKey }: Drawing): string {
  return JSON.stringify([lines.map(({ name, color, scale, shown: { options } }) => [name, color, scale, options]), [...hidden], bands, syncKey]);
}

function useChart(drawing: Drawing, data: uPlot.AlignedData) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const { from, to } = drawing.range();
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(chartOptions(drawing, element), data, element);
    chart.current = made;
    const fit = () => {
      const { clientWidth: width, clientHeight: height } = element;
      if (width > 0 && height > 0 && (width !== made.width || height !== made.height)) made.setSize({ width, height });
    };
    fit();
    const observer = new ResizeObserver(fit);
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [shape(drawing), drawing.dark, zone.value]);
  useEffect(() => chart.current?.setData(data), [data, from, to]);
  return host;
}

export function TimeseriesPanel({ panel, data, syncKey, onZoom }: PanelProps<PanelOf<"timeseries">>) {
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const dark = isDark();
  const lines = useMemo(() => linesOf(shown(data.frames, panel.field, panel.overrides), dark), [data.frames, panel, dark]);
  const names = lines.map(({ name }) => name).join("\n");
  useEffect(() => setHidden(new Set()), [names]);

  const aligned = useMemo(() => align(lines), [lines]);
  const stacked = useMemo(() => drawn(lines, aligned.columns, hidden), [lines, aligned, hidden]);
  const chartData = useMemo(() => {
    const columns = stacked.columns.map((column, index) => bridged(column, aligned.times, lines[index]?.shown.options.span_nulls));
    return [aligned.times, ...columns] as uPlot.AlignedData;
  }, [stacked, aligned, lines]);

  // The chart keeps these for its life: they are refilled, and read at the time of use.
  const tipLines = useRef<TooltipLine[]>([]);
  const fresh = panel.options.tooltip === "none" ? [] : tips(lines, aligned.columns);
  tipLines.current.splice(0, tipLines.current.length, ...fresh);
  const latest = useRef({ range: data.range, onZoom });
  latest.current = { range: data.range, onZoom };
  const drawing: Drawing = {
    lines,
    drawn: stacked,
    hidden,
    dark,
    tips: tipLines.current,
    syncKey,
    range: () => ({ from: latest.current.range.from / 1000, to: latest.current.range.to / 1000 }),
    onZoom: (from, to) => latest.current.onZoom(from * 1000, to * 1000),
  };
  const host = useChart(drawing, chartData);
  const { legend } = panel.options;
  const label = `${panel.title}: ${lines.length} series over time`;
  return (
    <div class={`board-chart ${legend.placement === "right" ? "legend-right" : "legend-below"}`}>
      <div class="board-plot" role="img" aria-label={label} ref={host} />
      {legend.show && (
        <Legend
          lines={lines}
          legend={legend}
          hidden={hidden}
          onClick={(index, toggle) => setHidden(afterClick(hidden, index, lines.length, toggle))}
        />
      )}
    </div>
  );
}
