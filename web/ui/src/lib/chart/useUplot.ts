// One uPlot per chart: made anew when its shape, its hidden lines or the theme change, fed when only the data does.
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { type Formatter, formatShort } from "../format";
import { isDark, zone } from "../preferences";
import type { TimeChartProps } from "../TimeChart";
import { type Aligned, stack } from "./align";
import { lookOf } from "./frame";
import { chartOptions } from "./options";
import type { TooltipLine } from "./tooltip";

export interface Drawing {
  props: TimeChartProps;
  aligned: Aligned;
  colors: string[];
  hidden: ReadonlySet<number>;
}

function observeSize(element: HTMLElement, chart: uPlot): () => void {
  const fit = () => {
    const { clientWidth: width, clientHeight: height } = element;
    if (width > 0 && height > 0 && (width !== chart.width || height !== chart.height)) chart.setSize({ width, height });
  };
  fit();
  const observer = new ResizeObserver(fit);
  observer.observe(element);
  return () => observer.disconnect();
}

/** Equal texts mean that the same uPlot will do. */
function shape({ props, colors, hidden }: Drawing): string {
  const lines = props.series.map(({ name, draw, width, fill, dash, spanGaps }) => [
    name,
    draw,
    width,
    fill,
    dash,
    spanGaps,
  ]);
  const { stacking, thresholds, min, max, logScale, syncKey } = props;
  return JSON.stringify([
    lines,
    colors,
    [...hidden],
    stacking,
    thresholds,
    min,
    max,
    logScale,
    syncKey,
    Boolean(props.onZoom),
  ]);
}

/** The tooltip keeps its array for the life of a uPlot, so the array is refilled and not replaced. */
function refill(lines: TooltipLine[], { props, aligned, colors }: Drawing, format: Formatter): void {
  const fresh = props.series.map((series, index) => ({
    name: series.name,
    color: colors[index] ?? "#888",
    format: series.format ?? format,
    values: aligned.columns[index] ?? [],
  }));
  lines.splice(0, lines.length, ...fresh);
}

/** Returns the ref of the element to draw in. */
export function useUplot(drawing: Drawing) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(drawing.props);
  const lines = useRef<TooltipLine[]>([]);
  latest.current = drawing.props;
  const { aligned, hidden, props } = drawing;
  refill(lines.current, drawing, props.format ?? formatShort);
  const data = useMemo(() => {
    return [aligned.times, ...stack(aligned.columns, hidden, props.stacking ?? "none")] as uPlot.AlignedData;
  }, [aligned, hidden, props.stacking]);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const options = chartOptions(drawing, lines.current, () => latest.current, lookOf(element));
    const made = new uPlot(options, data, element);
    chart.current = made;
    const stop = observeSize(element, made);
    return () => {
      stop();
      made.destroy();
      chart.current = null;
    };
  }, [shape(drawing), isDark(), zone.value]);

  useEffect(() => chart.current?.setData(data), [data, props.range?.from, props.range?.to]);
  return host;
}
