// How a value of a result is written, aligned and compared, by the type of its column.
import type { Column } from "../lib/api";
import { formatTimestamp } from "../lib/format";

const NUMERIC = /^(U?Int\d+|Float\d+|Decimal\d*)/;

export function isNumeric(column: Column): boolean {
  return NUMERIC.test(column.type);
}

export function isTime(column: Column): boolean {
  return /^(Timestamp|Date)/.test(column.type);
}

/** The text of a cell; `null` for a missing value, which must look different from the text "null". */
export function cellText(value: unknown, column: Column): string | null {
  if (value === null || value === undefined) return null;
  if (isTime(column) && typeof value === "string") return formatTimestamp(value);
  if (typeof value === "object") return jsonText(value);
  return String(value);
}

/** A number to draw, `null` for anything that has no place on an axis. */
export function cellNumber(value: unknown): number | null {
  if (typeof value !== "number" && typeof value !== "bigint") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** Order of two cells of one column, missing values last. */
export function compareCells(a: unknown, b: unknown): number {
  const missing = Number(a === null || a === undefined) - Number(b === null || b === undefined);
  if (missing !== 0 || a === null || a === undefined) return missing;
  if ((typeof a === "number" || typeof a === "bigint") && (typeof b === "number" || typeof b === "bigint")) {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  // RFC 3339 text in UTC sorts as it stands, and so does any other text.
  const [left, right] = [
    typeof a === "object" ? jsonText(a) : String(a),
    typeof b === "object" ? jsonText(b) : String(b),
  ];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** JSON of a nested value; its big integers stand as the digits they are. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner), indent);
}
