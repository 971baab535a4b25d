// Rows and columns of any size: only the cells in sight are in the page. A click on a header sorts; a click on a row or
// the arrow keys choose a row.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Column } from "../lib/api";
import { cellText, compareCells, isNumeric } from "./cells";

const ROW_HEIGHT = 25;
/** Rows and pixels drawn beyond the edge, so that scrolling does not flash. */
const ROWS_BEYOND = 8;
const PIXELS_BEYOND = 300;
const WIDTH_SAMPLE_ROWS = 200;
const CHARACTER = 7.3;

export interface DataTableProps {
  columns: Column[];
  rows: unknown[][];
  /** The place of the chosen row in `rows`. */
  chosen?: number;
  onChoose?: (row: number | undefined) => void;
  label: string;
}

interface Sort {
  column: number;
  descending: boolean;
}

interface View {
  top: number;
  left: number;
  width: number;
  height: number;
}

function columnWidths({ columns, rows }: DataTableProps): number[] {
  return columns.map((column, index) => {
    let longest = column.name.length + 3;
    for (const row of rows.slice(0, WIDTH_SAMPLE_ROWS))
      longest = Math.max(longest, cellText(row[index], column)?.length ?? 4);
    return Math.round(Math.min(Math.max(longest, 5), 64) * CHARACTER + 22);
  });
}

function useView(host: { current: HTMLDivElement | null }): [View, () => void] {
  const [view, setView] = useState<View>({ top: 0, left: 0, width: 1600, height: 800 });
  const read = () => {
    const element = host.current;
    if (!element) return;
    const { scrollTop: top, scrollLeft: left, clientWidth: width, clientHeight: height } = element;
    setView({ top, left, width, height });
  };
  useEffect(() => {
    if (!host.current) return;
    const observer = new ResizeObserver(read);
    observer.observe(host.current);
    return () => observer.disconnect();
  }, []);
  return [view, read];
}

/** The places of the rows in the order of the sort; equal cells stay in the order of the answer. */
function useOrder(props: DataTableProps, sort: Sort | undefined): number[] {
  return useMemo(() => {
    const order = props.rows.map((_, index) => index);
    if (!sort) return order;
    const sign = sort.descending ? -1 : 1;
    return order.toSorted((a, b) => sign * compareCells(props.rows[a]?.[sort.column], props.rows[b]?.[sort.column]));
  }, [props.rows, sort]);
}

interface Placed {
  index: number;
  left: number;
  width: number;
}

function inSight(widths: number[], view: View): Placed[] {
  const placed: Placed[] = [];
  let left = 0;
  widths.forEach((width, index) => {
    if (left + width > view.left - PIXELS_BEYOND && left < view.left + view.width + PIXELS_BEYOND) {
      placed.push({ index, left, width });
    }
    left += width;
  });
  return placed;
}

function Header(props: { columns: Column[]; placed: Placed[]; sort: Sort | undefined; onSort: (sort?: Sort) => void }) {
  const next = (column: number): Sort | undefined => {
    if (props.sort?.column !== column) return { column, descending: false };
    return props.sort.descending ? undefined : { column, descending: true };
  };
  return (
    <div class="grid-row grid-head" role="row" aria-rowindex={1}>
      {props.placed.map(({ index, left, width }) => {
        const column = props.columns[index] as Column;
        const sorted = props.sort?.column === index ? (props.sort.descending ? "descending" : "ascending") : undefined;
        return (
          <div
            key={index}
            role="columnheader"
            aria-colindex={index + 1}
            aria-sort={sorted ?? "none"}
            class={isNumeric(column) ? "grid-cell num" : "grid-cell"}
            style={{ left: `${left}px`, width: `${width}px` }}
          >
            <button type="button" title={`${column.name}: ${column.type}`} onClick={() => props.onSort(next(index))}>
              {column.name}
              {sorted && <span aria-hidden="true">{sorted === "ascending" ? " ↑" : " ↓"}</span>}
            </button>
          </div>
        );
      })}
    </div>
  );
}

function Cell({ value, column, place }: { value: unknown; column: Column; place: Placed }) {
  const text = cellText(value, column);
  const kind = text === null ? " grid-null" : isNumeric(column) ? " num" : "";
  return (
    <div
      role="gridcell"
      aria-colindex={place.index + 1}
      class={`grid-cell${kind}`}
      style={{ left: `${place.left}px`, width: `${place.width}px` }}
    >
      {text ?? "null"}
    </div>
  );
}

interface Window {
  first: number;
  last: number;
}

function rowsInSight(view: View, count: number): Window {
  return {
    first: Math.max(Math.floor(view.top / ROW_HEIGHT) - ROWS_BEYOND, 0),
    last: Math.min(Math.ceil((view.top + view.height) / ROW_HEIGHT) + ROWS_BEYOND, count),
  };
}

/** Scrolls as little as brings the row at `position` below the header and above the lower edge. */
function reveal(element: HTMLElement, position: number): void {
  const top = position * ROW_HEIGHT;
  const lowest = element.scrollTop + element.clientHeight - 2 * ROW_HEIGHT;
  if (top < element.scrollTop) element.scrollTop = top;
  else if (top > lowest) element.scrollTop += top - lowest;
}

/** The handlers that choose a row: a click, the arrow keys, Escape to let go. */
function useChoice(props: DataTableProps, order: number[], host: { current: HTMLDivElement | null }) {
  const position = props.chosen === undefined ? -1 : order.indexOf(props.chosen);
  const move = (to: number) => {
    const next = Math.min(Math.max(to, 0), order.length - 1);
    props.onChoose?.(order[next]);
    if (host.current) reveal(host.current, next);
  };
  const onClick = (event: MouseEvent) => {
    const row = (event.target as Element).closest<HTMLElement>("[data-row]")?.dataset.row;
    if (row !== undefined) props.onChoose?.(Number(row) === props.chosen ? undefined : Number(row));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") move(position + 1);
    else if (event.key === "ArrowUp") move(position - 1);
    else if (event.key === "Escape" && position >= 0) props.onChoose?.(undefined);
    else return;
    event.preventDefault();
  };
  return { onClick, onKeyDown };
}

export function DataTable(props: DataTableProps) {
  const host = useRef<HTMLDivElement>(null);
  const [sort, setSort] = useState<Sort>();
  const [view, read] = useView(host);
  const order = useOrder(props, sort);
  const choice = useChoice(props, order, host);
  const widths = useMemo(() => columnWidths(props), [props.columns, props.rows]);
  const width = widths.reduce((sum, own) => sum + own, 0);
  const placed = inSight(widths, view);
  const { first, last } = rowsInSight(view, order.length);
  return (
    <div
      ref={host}
      class="grid"
      role="grid"
      tabindex={0}
      aria-label={props.label}
      aria-rowcount={props.rows.length + 1}
      aria-colcount={props.columns.length}
      onScroll={read}
      {...choice}
    >
      <div class="grid-inner" style={{ width: `${width}px`, height: `${(order.length + 1) * ROW_HEIGHT}px` }}>
        <Header columns={props.columns} placed={placed} sort={sort} onSort={setSort} />
        {order.slice(first, last).map((row, offset) => (
          <div
            key={row}
            role="row"
            data-row={row}
            aria-rowindex={first + offset + 2}
            aria-selected={row === props.chosen}
            class={(first + offset) % 2 ? "grid-row odd" : "grid-row"}
            style={{ top: `${(first + offset + 1) * ROW_HEIGHT}px` }}
          >
            {placed.map((place) => (
              <Cell
                key={place.index}
                value={props.rows[row]?.[place.index]}
                column={props.columns[place.index] as Column}
                place={place}
              />
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}
