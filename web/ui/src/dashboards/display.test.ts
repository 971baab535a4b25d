import { describe, expect, it } from "vitest";
import { valueColor } from "./colors";
import { display, optionsOf, shown, textOf } from "./display";
import type { Field, Frame } from "./frames";
import type { FieldOptions, Mapping, Override, Panel } from "./model";
import { singles } from "./singles";
import { panelMoments, moments } from "./time";

function field(legend: string, values: Field["values"], labels = {}): Field {
  return { name: "Value", type: "number", values, legend, labels };
}

function frame(refId: string, ...fields: Field[]): Frame {
  return { refId, fields };
}

function unitOf(overrides: Override[], one: Field, refId: string): string | undefined {
  return optionsOf(one, frame(refId, one), { unit: "s" }, overrides).unit;
}

describe("overrides", () => {
  it.each<[string, Override["matcher"], boolean]>([
    ["its name", { by: "name", name: "eth0 in" }, true],
    ["another name", { by: "name", name: "eth0" }, false],
    ["a pattern", { by: "regexp", pattern: "/^ETH\\d/i" }, true],
    ["a list", { by: "names", names: ["lo", "eth0 in"], exclude: false }, true],
    ["all but a list", { by: "names", names: ["eth0 in"], exclude: true }, false],
    ["its query", { by: "ref_id", ref_id: "B" }, true],
    ["its type", { by: "type", field_type: "string" }, false],
    ["its value", { by: "value", reducer: "max", op: "gt", value: 5 }, true],
    ["a value that it has not", { by: "value", reducer: "max", op: "lt", value: 5 }, false],
    ["nothing but zeros, which it has not", { by: "value", reducer: "allIsZero", op: "gte", value: 0 }, false],
  ])("match %s", (_, matcher, fits) => {
    expect(unitOf([{ matcher, field: { unit: "bytes" } }], field("eth0 in", [1, 9]), "B")).toBe(fits ? "bytes" : "s");
  });

  it("take the later one, and name by labels", () => {
    const all: Override["matcher"] = { by: "regexp", pattern: ".*" };
    const [one] = shown(
      [frame("A", field("x", [1], { host: "web-1" }))],
      {},
      [{ matcher: all, field: { unit: "s", display_name: "${__field.labels.host}" } }, { matcher: all, field: { unit: "ms" } }],
    );
    expect([one?.options.unit, one?.name]).toEqual(["ms", "web-1"]);
  });
});

function show(value: number | null, options: FieldOptions) {
  const one = field("x", [value]);
  const [first] = shown([frame("A", one)], options, []);
  if (!first) throw new Error("a field was expected");
  return display(value, first, false, "thresholds");
}

describe("values", () => {
  const mappings: Mapping[] = [
    { type: "value", value: "1", text: "up", color: "#00ff00" },
    { type: "range", from: 2, to: 5, text: "some", color: null },
    { type: "special", matches: "null", text: "N/A", color: null },
  ];
  it.each([
    [1, "up"],
    [2, "some"],
    [5, "some"],
    [6, "6 s"],
    [null, "N/A"],
  ])("%s is mapped to %s", (value, text) => {
    expect(textOf(show(value, { mappings, unit: "s" }))).toBe(text);
  });
  it("takes the colour of a mapping before that of a threshold", () => {
    const thresholds = { mode: "absolute" as const, steps: [{ value: null, color: "#000001" }, { value: 0, color: "#000002" }] };
    expect(show(1, { mappings, thresholds }).color).toBe("#00ff00");
    expect(show(6, { mappings, thresholds }).color).toBe("#000002");
    expect(show(-1, { thresholds }).color).toBe("#000001");
  });
  it("writes what a board says for nothing", () => {
    expect(textOf(show(null, { no_value: "none" }))).toBe("none");
  });
});

function color(value: number, options: FieldOptions): string {
  return valueColor(value, { options, index: 0, min: 0, max: 200, dark: false }, "thresholds");
}

describe("colours", () => {
  it.each<[number, FieldOptions, string]>([
    [100, { color: { mode: "fixed", fixed: "#123456" } }, "#123456"],
    [100, { color: { mode: "fixed", fixed: "dark-red" } }, "#b0142a"],
    [0, { color: { mode: "continuous-blues" } }, "#dbe7fb"],
    [200, { color: { mode: "continuous-viridis" } }, "#fde725"],
    // Half of 0 to 200 is 50 %.
    [100, { thresholds: { mode: "percentage", steps: [{ value: null, color: "#000001" }, { value: 50, color: "#000002" }] } }, "#000002"],
    [99, { thresholds: { mode: "percentage", steps: [{ value: null, color: "#000001" }, { value: 50, color: "#000002" }] } }, "#000001"],
  ])("%d by %j is %s", (value, options, expected) => {
    expect(color(value, options)).toBe(expected);
  });
});

describe("single values", () => {
  const panel = { field: { unit: "percentunit" }, overrides: [] } as unknown as Panel;
  const data = { frames: [frame("A", field("a", [1, 3, null]), field("b", [2, 4]))], range: { from: 0, to: 1 }, errors: [] };
  it("reduces every series", () => {
    const all = singles(panel, data, { calc: "max", all_values: false }, false, true);
    expect(all.map(({ name, displayed, min, max }) => [name, textOf(displayed), min, max])).toEqual([["a", "300%", 0, 1], ["b", "400%", 0, 1]]);
  });
  it("shows every row where asked, and only chosen fields", () => {
    const all = singles(panel, data, { calc: "max", all_values: true, limit: 2, fields: "/^b$/" }, false, false);
    expect(all.map(({ displayed }) => displayed.number)).toEqual([2, 4]);
  });
});

describe("ranges", () => {
  const now = Date.UTC(2026, 7, 5, 12, 0, 0);
  it("reads what boards write", () => {
    expect(moments({ from: "now-6h", to: "now" }, now)).toEqual({ from: now - 21_600_000, to: now });
    expect(moments({ from: "1785000000000", to: "now" }, now).from).toBe(1_785_000_000_000);
    const midnight = new Date(now);
    midnight.setHours(0, 0, 0, 0);
    expect(moments({ from: "now/d", to: "now" }, now).from).toBe(midnight.getTime());
    expect(moments({ from: "now-1d/d", to: "now-1d/d" }, now)).toEqual({ from: midnight.getTime() - 86_400_000, to: midnight.getTime() });
  });
  it("moves a panel's own range", () => {
    const page = { from: now - 3_600_000, to: now };
    expect(panelMoments(page, "24h", undefined)).toEqual({ from: now - 86_400_000, to: now });
    expect(panelMoments(page, undefined, "1d")).toEqual({ from: now - 90_000_000, to: now - 86_400_000 });
  });
});
