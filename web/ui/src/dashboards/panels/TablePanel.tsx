// Rows and columns; a click on a heading sorts.
import { useState } from "preact/hooks";
import { isDark } from "../../lib/preferences";
import { display, rangeOf, type Shown, shown, textOf } from "../display";
import { type Frame, isTable, longTable, rows } from "../frames";
import type { FieldOptions, Override, TableView } from "../model";
import { reduce } from "../reduce";
import { nameOf } from "../transform";
import { textOn } from "./StatPanel";

/** A page that has more rows is slow, and nobody reads them. */
const ROWS_MAX = 1000;

export interface TableProps {
  frames: readonly Frame[];
  field: FieldOptions;
  overrides: readonly Override[];
  options: TableView;
  label: string;
}

interface Sort {
  name: string;
  desc: boolean;
}

function tableOf(frames: readonly Frame[]): Frame | undefined {
  const filled = frames.filter((frame) => rows(frame) > 0);
  if (filled.length > 1 && !filled.some(isTable)) return longTable(filled);
  return filled[0];
}

function ordered(columns: readonly Shown[], sort: Sort | undefined, count: number): number[] {
  const order = Array.from({ length: count }, (_, row) => row);
  const by = columns.find((column) => column.name === sort?.name || nameOf(column.field) === sort?.name);
  if (!sort || !by) return order;
  const { values } = by.field;
  const compare = (a: number, b: number) => {
    const [x, y] = [values[a] ?? null, values[b] ?? null];
    if (x === null || y === null) return Number(y !== null) - Number(x !== null);
    if (typeof x === "number" && typeof y === "number") return x - y;
    return String(x).localeCompare(String(y), undefined, { numeric: true });
  };
  return order.toSorted((a, b) => (sort.desc ? compare(b, a) : compare(a, b)));
}

function alignment({ field, options }: Shown): string {
  return options.align ?? (field.type === "number" ? "right" : "left");
}

function Cell({ column, row, dark }: { column: Shown; row: number; dark: boolean }) {
  const value = column.field.values[row] ?? null;
  const shownValue = display(value, column, dark, "thresholds");
  const { cell } = column.options;
  const text = textOf(shownValue);
  const textAlign = alignment(column);
  if (cell === "gauge" && shownValue.number !== null) {
    const { min, max } = rangeOf(column);
    const share = max === min ? 0 : Math.min(Math.max((shownValue.number - min) / (max - min), 0), 1);
    return (
      <td class="cell-gauge">
        <span class="cell-track"><span style={{ width: `${(share * 100).toFixed(1)}%`, background: shownValue.color }} /></span>
        <span style={{ color: shownValue.color }}>{text}</span>
      </td>
    );
  }
  if (cell === "color-background") {
    return <td style={{ textAlign, background: shownValue.color, color: textOn(shownValue.color) }}>{text}</td>;
  }
  const color = cell === "color-text" || shownValue.mappedColor ? shownValue.color : undefined;
  return <td style={{ textAlign, color }} title={text}>{text}</td>;
}

function Footer({ columns, options, dark }: { columns: readonly Shown[]; options: TableView; dark: boolean }) {
  const { footer, footer_fields: fields = [] } = options;
  if (!footer) return null;
  return (
    <tfoot>
      <tr>
        {columns.map((column, index) => {
          const counts = column.field.type === "number" && (fields.length === 0 || fields.includes(column.name));
          const value = counts ? textOf(display(reduce(column.field.values, footer), column, dark, "thresholds")) : "";
          return <td key={index} style={{ textAlign: alignment(column) }}>{value || (index === 0 ? footer : "")}</td>;
        })}
      </tr>
    </tfoot>
  );
}

export function DataTable({ frames, field, overrides, options, label }: TableProps) {
  const dark = isDark();
  const own = options.sort_by[0];
  const [sort, setSort] = useState<Sort | undefined>(own && { name: own.field, desc: own.desc });
  const frame = tableOf(frames);
  if (!frame) return <div class="board-empty">{field.no_value ?? "No data"}</div>;
  const columns = shown([frame], field, overrides).filter((column) => !column.options.hidden);
  const order = ordered(columns, sort, rows(frame));
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keys.
    <div class="board-table" role="region" aria-label={label} tabIndex={0}>
      <table>
        {options.show_header && (
          <thead>
            <tr>
              {columns.map((column, index) => {
                const active = sort && (sort.name === column.name || sort.name === nameOf(column.field));
                return (
                  <th
                    key={index}
                    scope="col"
                    aria-sort={active ? (sort.desc ? "descending" : "ascending") : "none"}
                    style={{ textAlign: alignment(column), width: column.options.width, minWidth: column.options.min_width }}
                  >
                    <button type="button" onClick={() => setSort({ name: column.name, desc: active ? !sort.desc : false })}>
                      {column.name}
                      {active ? (sort.desc ? " ↓" : " ↑") : ""}
                    </button>
                  </th>
                );
              })}
            </tr>
          </thead>
        )}
        <tbody>
          {order.slice(0, ROWS_MAX).map((row) => (
            <tr key={row}>
              {columns.map((column, index) => (
                <Cell key={index} column={column} row={row} dark={dark} />
              ))}
            </tr>
          ))}
        </tbody>
        <Footer columns={columns} options={options} dark={dark} />
      </table>
      {order.length > ROWS_MAX && <p class="muted">The first {ROWS_MAX} of {order.length} rows</p>}
    </div>
  );
}
