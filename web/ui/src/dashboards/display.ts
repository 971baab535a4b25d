// What a field looks like: its options after overrides, its name, its range, and each value as text with a colour.
import { valueColor } from "./colors";
import type { Field, Frame } from "./frames";
import type { FieldOptions, Mapping, Matcher, Override } from "./model";
import { reduce, type Value } from "./reduce";
import { nameOf } from "./transform";
import { type Written, write } from "./units";
import { regexOf } from "./variables";

/** A field with everything that is needed to draw it. */
export interface Shown {
  field: Field;
  frame: Frame;
  options: FieldOptions;
  name: string;
  /** Its place among the fields that are not times. */
  index: number;
}

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  eq: (a, b) => a === b,
  neq: (a, b) => a !== b,
};

function fits(matcher: Matcher, field: Field, frame: Frame): boolean {
  const name = nameOf(field);
  switch (matcher.by) {
    case "name":
      return name === matcher.name || field.name === matcher.name;
    case "names":
      return matcher.names.includes(name) !== matcher.exclude;
    case "regexp":
      return regexOf(matcher.pattern).test(name);
    case "ref_id":
      return frame.refId === matcher.ref_id;
    case "type":
      return field.type === matcher.field_type;
    case "value": {
      const reduced = reduce(field.values, matcher.reducer);
      // `allIsZero` and `allIsNull` are the answer themselves, whatever comparison the file keeps beside them.
      if (typeof reduced === "boolean") return reduced;
      return typeof reduced === "number" && (COMPARE[matcher.op]?.(reduced, matcher.value) ?? false);
    }
  }
}

export function optionsOf(field: Field, frame: Frame, defaults: FieldOptions, overrides: readonly Override[]): FieldOptions {
  const fitting = overrides.filter(({ matcher }) => fits(matcher, field, frame));
  return Object.assign({}, defaults, ...fitting.map((override) => override.field));
}

function displayName(template: string, field: Field): string {
  return template
    .replace(/\$\{__field\.labels\.([^}]+)\}/g, (_, label: string) => field.labels?.[label] ?? "")
    .replace(/\$\{__(?:field|series)\.(?:name|displayName)\}/g, nameOf(field));
}

/** Every field but the times of series, with its options. */
export function shown(frames: readonly Frame[], defaults: FieldOptions, overrides: readonly Override[]): Shown[] {
  let index = -1;
  return frames.flatMap((frame) =>
    frame.fields.map((field) => {
      if (field.type !== "time") index += 1;
      const options = optionsOf(field, frame, defaults, overrides);
      const name = options.display_name ? displayName(options.display_name, field) : nameOf(field);
      return { field, frame, options, name, index: Math.max(index, 0) };
    }),
  );
}

/** The range of a field: what is set, else what its numbers say. */
export function rangeOf({ options, field }: Pick<Shown, "options" | "field">): { min: number; max: number } {
  const low = reduce(field.values, "min");
  const high = reduce(field.values, "max");
  return {
    min: options.min ?? (typeof low === "number" ? low : 0),
    max: options.max ?? (typeof high === "number" ? high : 100),
  };
}

function mapped(value: Value, mappings: readonly Mapping[] | undefined): Mapping | undefined {
  return mappings?.find((mapping) => {
    switch (mapping.type) {
      case "value":
        return value !== null && String(value) === mapping.value;
      case "range":
        return typeof value === "number" && value >= (mapping.from ?? -Infinity) && value <= (mapping.to ?? Infinity);
      case "regex":
        return typeof value === "string" && regexOf(mapping.pattern).test(value);
      case "special":
        return special(value, mapping.matches);
    }
  });
}

function special(value: Value, matches: string): boolean {
  const nan = typeof value === "number" && Number.isNaN(value);
  switch (matches) {
    case "null":
      return value === null;
    case "nan":
      return nan;
    case "null+nan":
      return value === null || nan;
    case "true":
    case "false":
      return String(value) === matches;
    case "empty":
      return value === "";
    default:
      return false;
  }
}

export interface Displayed extends Written {
  color: string;
  /** The number behind the text. */
  number: number | null;
  /** Whether the colour was chosen by a mapping: then it is shown even where values are plain. */
  mappedColor: boolean;
}

function parts(value: Value, field: Field, options: FieldOptions): Written {
  if (value === null) return { prefix: "", text: options.no_value ?? "–", suffix: "" };
  if (typeof value === "number") return write(value, options.unit ?? (field.type === "time" ? "dateTimeAsIso" : undefined), options.decimals);
  return { prefix: "", text: String(value), suffix: "" };
}

/** A value of the field as text, with the colour that thresholds, scheme or mapping give it. */
export function display(value: Value, of: Shown, dark: boolean, otherwise: "palette-classic" | "thresholds"): Displayed {
  const number = typeof value === "number" ? value : null;
  const coloring = { options: of.options, index: of.index, ...rangeOf(of), dark };
  const mapping = mapped(value, of.options.mappings);
  const text = mapping?.text ? { prefix: "", text: mapping.text, suffix: "" } : parts(value, of.field, of.options);
  // A mapping's colour is a colour of its own, whatever the mode is.
  const own = mapping?.color;
  const color = own
    ? valueColor(null, { ...coloring, options: { color: { mode: "fixed", fixed: own } } }, otherwise)
    : valueColor(number, coloring, otherwise);
  return { ...text, color, number, mappedColor: Boolean(own) };
}

export function textOf({ prefix, text, suffix }: Written): string {
  return prefix + text + suffix;
}
