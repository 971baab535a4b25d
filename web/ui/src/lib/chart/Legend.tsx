// The names below a chart. Each is a button: a click shows that line alone, Ctrl or Cmd with a click adds or removes it.
import type { Formatter } from "../format";
import { summarise } from "./align";
import type { ChartSeries } from "../TimeChart";

export type LegendMode = "none" | "list" | "table";

export interface LegendProps {
  series: ChartSeries[];
  colors: string[];
  mode: LegendMode;
  hidden: ReadonlySet<number>;
  onHide: (hidden: Set<number>) => void;
  format: Formatter;
}

/** The hidden set after a click on `index`: alone, or everything again when it was alone already. */
export function afterClick(hidden: ReadonlySet<number>, index: number, count: number, toggle: boolean): Set<number> {
  if (toggle) {
    const next = new Set(hidden);
    if (!next.delete(index)) next.add(index);
    return next;
  }
  const alone = !hidden.has(index) && hidden.size === count - 1;
  if (alone) return new Set();
  return new Set(Array.from({ length: count }, (_, other) => other).filter((other) => other !== index));
}

function Name(props: { of: LegendProps; index: number }) {
  const { series, colors, hidden, onHide } = props.of;
  const line = series[props.index];
  return (
    <button
      type="button"
      class="legend-name"
      aria-pressed={!hidden.has(props.index)}
      title={`${line?.name}\nClick: only this line. Ctrl+click: add or remove it.`}
      onClick={(event) => onHide(afterClick(hidden, props.index, series.length, event.ctrlKey || event.metaKey))}
    >
      <span class="chart-swatch" style={{ background: colors[props.index] }} />
      <span class="legend-text">{line?.name}</span>
    </button>
  );
}

export function Legend(props: LegendProps) {
  if (props.mode === "none" || props.series.length === 0) return null;
  if (props.mode === "list") {
    return (
      <div class="legend-list">
        {props.series.map((_, index) => (
          <Name key={index} of={props} index={index} />
        ))}
      </div>
    );
  }
  const cell = (line: ChartSeries, value: number | null) =>
    value === null ? "–" : (line.format ?? props.format)(value);
  return (
    <div class="legend-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Series</th>
            {["Last", "Min", "Max", "Mean"].map((title) => (
              <th key={title} scope="col" class="num">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.series.map((line, index) => {
            const { last, min, max, mean } = summarise(line.values);
            return (
              <tr key={index}>
                <td>
                  <Name of={props} index={index} />
                </td>
                {[last, min, max, mean].map((value, column) => (
                  <td key={column} class="num">
                    {cell(line, value)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
