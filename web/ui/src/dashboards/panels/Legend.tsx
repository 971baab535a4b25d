// The names below or beside a chart, with the reduced values that the board asks for.
import { useState } from "preact/hooks";
import type { Line } from "../chart/lines";
import type { Legend as LegendOptions } from "../model";
import { reduce, reducerTitle, type Value } from "../reduce";
import { written } from "../units";

export interface LegendProps {
  lines: readonly Line[];
  legend: LegendOptions;
  hidden: ReadonlySet<number>;
  onClick: (index: number, toggle: boolean) => void;
}

interface Row {
  line: Line;
  /** Its place among the lines of the chart. */
  index: number;
  values: Value[];
}

function Name({ row, of }: { row: Row; of: LegendProps }) {
  return (
    <button
      type="button"
      class="legend-name"
      aria-pressed={!of.hidden.has(row.index)}
      title={`${row.line.name}\nClick: only this line. Ctrl+click: add or remove it.`}
      onClick={(event) => of.onClick(row.index, event.ctrlKey || event.metaKey)}
    >
      <span class="chart-swatch" style={{ background: row.line.color }} />
      <span class="legend-text">{row.line.name}</span>
    </button>
  );
}

function cell(value: Value, { shown: { options } }: Line): string {
  return typeof value === "number" ? written(value, options.unit, options.decimals) : "–";
}

function ordered(rows: Row[], column: number, desc: boolean): Row[] {
  if (column < 0) return rows;
  const key = (row: Row) => (typeof row.values[column] === "number" ? (row.values[column] as number) : -Infinity);
  return rows.toSorted((a, b) => (desc ? key(b) - key(a) : key(a) - key(b)));
}

export function Legend(props: LegendProps) {
  const { legend, lines } = props;
  const titles = legend.calcs.map(reducerTitle);
  // Old boards name the reducer, those of today its heading.
  const own = legend.calcs.findIndex((calc, index) => calc === legend.sort_by || titles[index] === legend.sort_by);
  const [sort, setSort] = useState({ column: own, desc: legend.sort_desc });
  const rows = lines
    .map((line, index): Row => ({ line, index, values: legend.calcs.map((calc) => reduce(line.shown.field.values, calc)) }))
    .filter(({ line }) => !line.shown.options.hide_from?.legend);
  if (rows.length === 0) return null;
  if (legend.mode === "list") {
    return (
      <div class="legend-list board-legend">
        {rows.map((row) => (
          <span key={row.index} class="legend-entry">
            <Name row={row} of={props} />
            {row.values.map((value, index) => (
              <span key={index} class="legend-calc">{titles[index]}: {cell(value, row.line)}</span>
            ))}
          </span>
        ))}
      </div>
    );
  }
  return (
    <div class="legend-table board-legend">
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            {titles.map((title, column) => (
              <th
                key={title}
                scope="col"
                class="num"
                aria-sort={sort.column === column ? (sort.desc ? "descending" : "ascending") : "none"}
              >
                <button type="button" onClick={() => setSort({ column, desc: sort.column === column ? !sort.desc : true })}>
                  {title}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ordered(rows, sort.column, sort.desc).map((row) => (
            <tr key={row.index}>
              <td><Name row={row} of={props} /></td>
              {row.values.map((value, index) => (
                <td key={index} class="num">{cell(value, row.line)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
