// Transformations of frames, by Grafana's ids and options. The importer reports every id that is not here.
import { type Field, type FieldType, type Frame, longTable, rows } from "./frames";
import type { Transformation } from "./model";
import { reduce, reducerTitle, type Value } from "./reduce";
import { regexOf } from "./variables";

type Options = Record<string, unknown>;
type Step = (frames: Frame[], options: Options) => Frame[];

function object(value: unknown): Options {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Options) : {};
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The name that transformations know a column by. */
export function nameOf(field: Field): string {
  return field.legend ?? field.name;
}

function typeOf(values: readonly Value[]): FieldType {
  const first = values.find((value) => value !== null);
  if (typeof first === "boolean") return "boolean";
  return typeof first === "string" ? "string" : "number";
}

function keepRows(frame: Frame, kept: readonly number[]): Frame {
  const fields = frame.fields.map((field) => ({ ...field, values: kept.map((row) => field.values[row] ?? null) }));
  return { ...frame, fields };
}

function rowNumbers(frame: Frame): number[] {
  return Array.from({ length: rows(frame) }, (_, row) => row);
}

const organize: Step = (frames, options) => {
  const excluded = object(options.excludeByName);
  const order = object(options.indexByName);
  const renamed = object(options.renameByName);
  const included = object(options.includeByName);
  const place = (field: Field) => {
    const index = order[nameOf(field)];
    return typeof index === "number" ? index : Number.MAX_SAFE_INTEGER;
  };
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields
      .filter((field) => excluded[nameOf(field)] !== true)
      .filter((field) => Object.keys(included).length === 0 || included[nameOf(field)] === true)
      .toSorted((a, b) => place(a) - place(b))
      .map((field) => {
        const name = text(renamed[nameOf(field)]);
        return name ? { ...field, name, legend: undefined } : field;
      }),
  }));
};

/** Rows of all frames in one; rows that agree in every column that they share become one. */
const merge: Step = (frames) => {
  if (frames.length < 2) return frames;
  const columns = new Map<string, Field>();
  for (const field of frames.flatMap((frame) => frame.fields)) {
    if (!columns.has(nameOf(field))) columns.set(nameOf(field), { ...field, values: [] });
  }
  const names = [...columns.keys()];
  const counts = new Map<string, number>();
  for (const name of frames.flatMap((frame) => frame.fields.map(nameOf))) counts.set(name, (counts.get(name) ?? 0) + 1);
  const shared = names.filter((name) => (counts.get(name) ?? 0) > 1);
  const merged: Map<string, Value>[] = [];
  const byKey = new Map<string, Map<string, Value>[]>();
  for (const frame of frames) {
    for (const row of rowNumbers(frame)) {
      const cells = new Map(frame.fields.map((field) => [nameOf(field), field.values[row] ?? null]));
      const key = JSON.stringify(shared.map((name) => cells.get(name)));
      const fitting = (byKey.get(key) ?? []).find((other) => [...cells].every(([name, cell]) => !other.has(name) || other.get(name) === cell));
      if (fitting && shared.length > 0) {
        for (const [name, cell] of cells) fitting.set(name, cell);
      } else {
        merged.push(cells);
        byKey.set(key, [...(byKey.get(key) ?? []), cells]);
      }
    }
  }
  for (const [name, field] of columns) field.values = merged.map((cells) => cells.get(name) ?? null);
  return [{ refId: frames[0]?.refId ?? "A", fields: [...columns.values()] }];
};

const joinByField: Step = (frames, options) => {
  if (frames.length < 2) return frames;
  const by = text(options.byField) ?? frames[0]?.fields.find((field) => field.type === "time")?.name ?? "Time";
  const keys = frames.map((frame) => frame.fields.find((field) => nameOf(field) === by || field.name === by));
  const rowsOf = keys.map((key) => new Map(key?.values.map((value, row) => [value, row] as const)));
  const joined = keys.filter((key) => key !== undefined);
  const all = [...new Set(joined.flatMap((key) => key.values))];
  const inner = options.mode === "inner";
  const values = inner ? all.filter((value) => keys.every((key, index) => !key || rowsOf[index]?.has(value))) : all;
  const first = joined[0];
  if (!first) return frames;
  if (first.type !== "string") values.sort((a, b) => Number(a) - Number(b));
  const names = frames.flatMap((frame) => frame.fields.map((field) => field.name));
  const fields: Field[] = [{ ...first, values }];
  frames.forEach((frame, index) => {
    for (const field of frame.fields) {
      if (field === keys[index] || !keys[index]) continue;
      const column = values.map((value) => {
        const row = rowsOf[index]?.get(value);
        return row === undefined ? null : (field.values[row] ?? null);
      });
      // Columns of one name in several frames are told apart by a number, as Grafana does.
      const twice = !field.legend && names.filter((name) => name === field.name).length > 1;
      fields.push({ ...field, name: twice ? `${field.name} ${index + 1}` : field.name, values: column });
    }
  });
  return [{ refId: frames[0]?.refId ?? "A", fields }];
};

const reduceStep: Step = (frames, options) => {
  const reducers = texts(options.reducers).length > 0 ? texts(options.reducers) : ["lastNotNull"];
  if (options.mode === "reduceFields") {
    return frames.map((frame) => ({
      ...frame,
      fields: frame.fields
        .filter((field) => field.type === "number")
        .flatMap((field) =>
          reducers.map((name) => {
            const values = [reduce(field.values, name)];
            const own = reducers.length > 1 ? `${nameOf(field)} ${reducerTitle(name)}` : nameOf(field);
            return { ...field, name: own, legend: undefined, values, type: typeOf(values) };
          }),
        ),
    }));
  }
  const reduced = frames.flatMap((frame) => frame.fields.filter((field) => field.type === "number"));
  const all = options.labelsToFields === true ? reduced.flatMap((field) => Object.keys(field.labels ?? {})) : [];
  const labels = [...new Set(all)].toSorted();
  const fields: Field[] = [{ name: "Field", type: "string", values: reduced.map(nameOf) }];
  for (const label of labels) fields.push({ name: label, type: "string", values: reduced.map((field) => field.labels?.[label] ?? null) });
  for (const name of reducers) {
    const values = reduced.map((field) => reduce(field.values, name));
    fields.push({ name: reducerTitle(name), type: typeOf(values), values });
  }
  return [{ refId: frames[0]?.refId ?? "A", fields }];
};

const groupBy: Step = (frames, options) => {
  const wanted = object(options.fields);
  const operation = (field: Field) => object(wanted[nameOf(field)]).operation;
  return frames.flatMap((frame) => {
    const keys = frame.fields.filter((field) => operation(field) === "groupby");
    if (keys.length === 0) return [];
    const groups = new Map<string, number[]>();
    for (const row of rowNumbers(frame)) {
      const key = JSON.stringify(keys.map((field) => field.values[row] ?? null));
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    const members = [...groups.values()];
    const fields: Field[] = keys.map((field) => ({ ...field, values: members.map(([row = 0]) => field.values[row] ?? null) }));
    for (const field of frame.fields) {
      if (operation(field) !== "aggregate") continue;
      for (const name of texts(object(wanted[nameOf(field)]).aggregations)) {
        const values = members.map((group) => reduce(group.map((row) => field.values[row] ?? null), name));
        fields.push({ name: `${nameOf(field)} (${name})`, type: typeOf(values), values });
      }
    }
    return [{ ...frame, fields }];
  });
};

const OPERATORS: Record<string, (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "**": (a, b) => a ** b,
};

/** A side of a binary calculation: a column, or a number. */
function side(frame: Frame, value: unknown): (row: number) => Value {
  const operand = typeof value === "object" && value !== null ? object(object(value).matcher).options : value;
  const fixed = typeof value === "object" && value !== null ? object(value).fixed : value;
  const field = frame.fields.find((one) => nameOf(one) === operand || one.name === operand);
  if (field) return (row) => field.values[row] ?? null;
  const number = Number(fixed);
  return () => (Number.isNaN(number) || fixed === "" ? null : number);
}

const calculateField: Step = (frames, options) =>
  frames.map((frame) => {
    const calculated = options.mode === "binary" ? binary(frame, options) : reduceRow(frame, options);
    const kept = options.replaceFields === true ? frame.fields.filter((field) => field.type === "time") : frame.fields;
    return { ...frame, fields: [...kept, calculated] };
  });

function binary(frame: Frame, options: Options): Field {
  const { left, right, operator } = object(options.binary);
  const calculate = OPERATORS[String(operator ?? "+")] ?? (() => Number.NaN);
  const [a, b] = [side(frame, left), side(frame, right)];
  const values = rowNumbers(frame).map((row) => {
    const [x, y] = [a(row), b(row)];
    const result = typeof x === "number" && typeof y === "number" ? calculate(x, y) : Number.NaN;
    return Number.isNaN(result) ? null : result;
  });
  return { name: text(options.alias) ?? `${String(left)} ${String(operator)} ${String(right)}`, type: "number", values };
}

function reduceRow(frame: Frame, options: Options): Field {
  const settings = object(options.reduce);
  const include = texts(settings.include);
  const used = frame.fields.filter((field) => field.type === "number" && (include.length === 0 || include.includes(nameOf(field))));
  const name = text(settings.reducer) ?? "sum";
  const values = rowNumbers(frame).map((row) => reduce(used.map((field) => field.values[row] ?? null), name));
  return { name: text(options.alias) ?? reducerTitle(name), type: typeOf(values), values };
}

function compare(a: Value, b: Value): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

/** Rows in the order of a column. */
export function sortRows(frame: Frame, name: string, desc: boolean): Frame {
  const field = frame.fields.find((one) => nameOf(one) === name || one.name === name);
  if (!field) return frame;
  const order = rowNumbers(frame).toSorted((a, b) => {
    const by = compare(field.values[a] ?? null, field.values[b] ?? null);
    return desc ? -by : by;
  });
  return keepRows(frame, order);
}

const sortBy: Step = (frames, options) => {
  const [first] = Array.isArray(options.sort) ? options.sort.map(object) : [];
  const name = text(first?.field);
  return name ? frames.map((frame) => sortRows(frame, name, first?.desc === true)) : frames;
};

function named(settings: Options, name: string): boolean {
  const pattern = text(settings.pattern);
  return texts(settings.names).includes(name) || (pattern !== undefined && regexOf(pattern).test(name));
}

const filterFieldsByName: Step = (frames, options) => {
  const include = object(options.include);
  const exclude = object(options.exclude);
  const open = Object.keys(include).length === 0;
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.filter((field) => (open || named(include, nameOf(field))) && !named(exclude, nameOf(field))),
  }));
};

const renameByRegex: Step = (frames, options) => {
  const pattern = regexOf(text(options.regex) ?? "");
  const by = typeof options.renamePattern === "string" ? options.renamePattern : "";
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) =>
      pattern.test(nameOf(field)) ? { ...field, name: nameOf(field).replace(pattern, by), legend: undefined } : field,
    ),
  }));
};

const labelsToFields: Step = (frames, options) => {
  const kept = texts(options.keepLabels);
  const valueLabel = text(options.valueLabel);
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.flatMap((field) => {
      const labels = Object.entries(field.labels ?? {}).filter(([name]) => kept.length === 0 || kept.includes(name));
      const columns = labels
        .filter(([name]) => name !== valueLabel)
        .map(([name, value]): Field => ({ name, type: "string", values: field.values.map(() => value) }));
      const own = valueLabel ? field.labels?.[valueLabel] : undefined;
      const value: Field = field.labels ? { ...field, name: own ?? field.name, legend: undefined, labels: undefined } : field;
      return [...columns, value];
    }),
  }));
};

type Test = (value: Value, options: Options) => boolean;
const TESTS: Record<string, Test> = {
  isNull: (value) => value === null,
  isNotNull: (value) => value !== null,
  equal: (value, { value: wanted }) => String(value) === String(wanted),
  notEqual: (value, { value: wanted }) => String(value) !== String(wanted),
  greater: (value, { value: bound }) => Number(value) > Number(bound),
  greaterOrEqual: (value, { value: bound }) => Number(value) >= Number(bound),
  lower: (value, { value: bound }) => Number(value) < Number(bound),
  lowerOrEqual: (value, { value: bound }) => Number(value) <= Number(bound),
  between: (value, { from, to }) => Number(value) >= Number(from) && Number(value) <= Number(to),
  regex: (value, { value: pattern }) => regexOf(String(pattern)).test(String(value ?? "")),
  substring: (value, { value: part }) => String(value ?? "").includes(String(part)),
};

const filterByValue: Step = (frames, options) => {
  const filters = Array.isArray(options.filters) ? options.filters.map(object) : [];
  const include = options.type !== "exclude";
  return frames.map((frame) => {
    const tests = filters.flatMap((filter) => {
      const field = frame.fields.find((one) => nameOf(one) === filter.fieldName || one.name === filter.fieldName);
      const config = object(filter.config);
      const test = TESTS[String(config.id)];
      return field && test ? [(row: number) => test(field.values[row] ?? null, object(config.options))] : [];
    });
    if (tests.length === 0) return frame;
    const fits = (row: number) => (options.match === "any" ? tests.some((test) => test(row)) : tests.every((test) => test(row)));
    return keepRows(frame, rowNumbers(frame).filter((row) => fits(row) === include));
  });
};

const STEPS: Record<string, Step> = {
  organize,
  merge,
  joinByField,
  seriesToColumns: joinByField,
  seriesToRows: (frames) => [longTable(frames)],
  reduce: reduceStep,
  groupBy,
  calculateField,
  sortBy,
  filterFieldsByName,
  renameByRegex,
  labelsToFields,
  filterByValue,
  limit: (frames, { limitField }) => frames.map((frame) => keepRows(frame, rowNumbers(frame).slice(0, Number(limitField) || 10))),
  filterByRefId: (frames, { include }) => {
    const pattern = text(include);
    return pattern ? frames.filter((frame) => regexOf(pattern).test(frame.refId)) : frames;
  },
};

export function transform(frames: Frame[], steps: readonly Transformation[]): Frame[] {
  return steps.reduce((result, { id, options }) => STEPS[id]?.(result, object(options)) ?? result, frames);
}
