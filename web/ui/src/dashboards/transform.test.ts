import { describe, expect, it } from "vitest";
import type { Field, Frame } from "./frames";
import { transform } from "./transform";

function table(refId: string, cells: Record<string, Field["values"]>): Frame {
  const fields = Object.entries(cells).map(([name, values]): Field => {
    const type = name === "Time" ? "time" : typeof values[0] === "string" ? "string" : "number";
    return { name, type, values };
  });
  return { refId, fields };
}

function columns(frames: Frame[]): Record<string, unknown>[] {
  return frames.map((frame) => Object.fromEntries(frame.fields.map((field) => [field.legend ?? field.name, field.values])));
}

function series(legend: string, values: number[]): Frame {
  return {
    refId: "A",
    fields: [
      { name: "Time", type: "time", values: values.map((_, index) => index) },
      { name: "Value", type: "number", values, legend, labels: { host: legend } },
    ],
  };
}

function calculate(alias: string, left: string, operator: string, right: string) {
  return { id: "calculateField", options: { alias, mode: "binary", binary: { left, operator, right } } };
}

describe("transformations", () => {
  it("makes the disk table of the node exporter's board", () => {
    const frames = [
      table("A", { Time: [1, 1], mountpoint: ["/", "/data"], "Value #A": [100, 400] }),
      table("B", { Time: [1, 1], mountpoint: ["/data", "/"], "Value #B": [100, 40] }),
    ];
    const steps = [
      {
        id: "groupBy",
        options: {
          fields: {
            "Value #A": { aggregations: ["lastNotNull"], operation: "aggregate" },
            "Value #B": { aggregations: ["lastNotNull"], operation: "aggregate" },
            mountpoint: { aggregations: [], operation: "groupby" },
          },
        },
      },
      { id: "merge", options: {} },
      calculate("Used", "Value #A (lastNotNull)", "-", "Value #B (lastNotNull)"),
      calculate("Used, %", "Used", "/", "Value #A (lastNotNull)"),
      {
        id: "organize",
        options: { excludeByName: {}, indexByName: {}, renameByName: { "Value #A (lastNotNull)": "Size", mountpoint: "Mounted on" } },
      },
      { id: "sortBy", options: { sort: [{ field: "Mounted on", desc: true }] } },
    ];
    expect(columns(transform(frames, steps))).toEqual([
      {
        "Mounted on": ["/data", "/"],
        Size: [400, 100],
        "Value #B (lastNotNull)": [100, 40],
        Used: [300, 60],
        "Used, %": [0.75, 0.6],
      },
    ]);
  });

  it("keeps rows apart that share nothing", () => {
    const frames = [table("A", { host: ["a"], x: [1] }), table("B", { host: ["b"], y: [2] })];
    expect(columns(transform(frames, [{ id: "merge", options: {} }]))).toEqual([{ host: ["a", "b"], x: [1, null], y: [null, 2] }]);
  });

  it.each([
    ["outer", { Time: [1, 2, 3], "Value 1": [10, 20, null], "Value 2": [null, 5, 6] }],
    ["inner", { Time: [2], "Value 1": [20], "Value 2": [5] }],
  ])("joins %s", (mode, expected) => {
    const frames = [table("A", { Time: [1, 2], Value: [10, 20] }), table("B", { Time: [2, 3], Value: [5, 6] })];
    expect(columns(transform(frames, [{ id: "joinByField", options: { byField: "Time", mode } }]))).toEqual([expected]);
  });

  it("reduces series to rows", () => {
    const frames = [series("a", [1, 5]), series("b", [2, 4])];
    const options = { reducers: ["max", "mean"], labelsToFields: true };
    expect(columns(transform(frames, [{ id: "reduce", options }]))).toEqual([
      { Field: ["a", "b"], host: ["a", "b"], Max: [5, 4], Mean: [3, 3] },
    ]);
    expect(columns(transform(frames, [{ id: "reduce", options: { reducers: ["sum"], mode: "reduceFields" } }]))).toEqual([
      { a: [6] },
      { b: [6] },
    ]);
  });

  it.each([
    ["filterFieldsByName", { include: { names: ["a"], pattern: "/^b/" } }, { a: [1, 2, 3], bc: [4, null, 6] }],
    ["filterByValue", { type: "include", match: "all", filters: [{ fieldName: "a", config: { id: "greater", options: { value: 1 } } }] }, { a: [2, 3], bc: [null, 6], name: ["y", "z"] }],
    ["filterByValue", { type: "exclude", match: "any", filters: [{ fieldName: "bc", config: { id: "isNull" } }] }, { a: [1, 3], bc: [4, 6], name: ["x", "z"] }],
    ["renameByRegex", { regex: "(b)c", renamePattern: "$1-new" }, { a: [1, 2, 3], "b-new": [4, null, 6], name: ["x", "y", "z"] }],
    ["limit", { limitField: 1 }, { a: [1], bc: [4], name: ["x"] }],
    ["calculateField", { mode: "reduceRow", reduce: { reducer: "sum" }, alias: "all" }, { a: [1, 2, 3], bc: [4, null, 6], name: ["x", "y", "z"], all: [5, 2, 9] }],
    ["sortBy", { sort: [{ field: "bc", desc: true }] }, { a: [3, 1, 2], bc: [6, 4, null], name: ["z", "x", "y"] }],
  ])("%s %j", (id, options, expected) => {
    const frame = table("A", { a: [1, 2, 3], bc: [4, null, 6], name: ["x", "y", "z"] });
    expect(columns(transform([frame], [{ id, options }]))).toEqual([expected]);
  });
});
