// One row in full: every field under its name, long text unbroken by the table's widths.
import { useEffect, useRef } from "preact/hooks";
import type { Column } from "../lib/api";
import { Icon } from "../lib/icons";
import { cellText, jsonText } from "./cells";

function fieldText(value: unknown, column: Column): string | null {
  if (typeof value === "object" && value !== null) return jsonText(value, 2);
  return cellText(value, column);
}

export function RowDetail(props: { columns: Column[]; row: unknown[]; place: number; onClose: () => void }) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.scrollTo(0, 0), [props.place]);
  return (
    <aside class="row-detail" aria-label={`Row ${props.place + 1}`} ref={panel}>
      <header>
        <h2>Row {props.place + 1}</h2>
        <button type="button" class="button quiet small" aria-label="Close the row" onClick={props.onClose}>
          <Icon name="close" />
        </button>
      </header>
      <dl>
        {props.columns.map((column, index) => {
          const text = fieldText(props.row[index], column);
          return (
            <div key={column.name}>
              <dt title={column.type}>{column.name}</dt>
              <dd class={text === null ? "muted" : undefined}>{text ?? "null"}</dd>
            </div>
          );
        })}
      </dl>
    </aside>
  );
}
