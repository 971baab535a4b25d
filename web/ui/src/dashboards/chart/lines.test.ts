import { describe, expect, it } from "vitest";
import { shown } from "../display";
import type { Frame } from "../frames";
import type { FieldOptions, Override } from "../model";
import { bridged, drawn, linesOf } from "./lines";

function series(legend: string, values: (number | null)[]): Frame {
  return {
    refId: "A",
    fields: [
      { name: "Time", type: "time", values: values.map((_, index) => index * 1000) },
      { name: "Value", type: "number", values, legend },
    ],
  };
}

function lines(frames: Frame[], defaults: FieldOptions = {}, overrides: Override[] = []) {
  return linesOf(shown(frames, defaults, overrides), false);
}

const stacking = (mode: "none" | "normal" | "percent") => ({ mode, group: "A" });

describe("lines", () => {
  it("stacks what goes up and what goes down apart", () => {
    const down: Override = { matcher: { by: "regexp", pattern: "/^out/" }, field: { transform: "negative-Y" } };
    const made = lines([series("in a", [1, 2]), series("out a", [3, 4]), series("in b", [10, null]), series("out b", [5, 6])], { stacking: stacking("normal") }, [down]);
    const { columns, bands } = drawn(made, made.map((line) => line.values), new Set());
    expect(columns).toEqual([[1, 2], [-3, -4], [11, null], [-8, -10]]);
    expect(bands).toEqual([[2, 0], [3, 1]]);
  });

  it("leaves hidden and unstacked lines alone", () => {
    const free: Override = { matcher: { by: "name", name: "total" }, field: { stacking: stacking("none") } };
    const made = lines([series("a", [1]), series("b", [2]), series("total", [9])], { stacking: stacking("normal") }, [free]);
    expect(drawn(made, made.map((line) => line.values), new Set([0])).columns).toEqual([[1], [2], [9]]);
  });

  it("shows shares of the whole", () => {
    const made = lines([series("a", [1, 0]), series("b", [3, 0])], { stacking: stacking("percent") });
    expect(drawn(made, made.map((line) => line.values), new Set()).columns).toEqual([[0.25, 0], [1, 0]]);
  });

  it("gives a unit its own axis, and hides what the board hides", () => {
    const overrides: Override[] = [
      { matcher: { by: "name", name: "share" }, field: { unit: "percentunit", axis: "right" } },
      { matcher: { by: "name", name: "gone" }, field: { hide_from: { viz: true, legend: true, tooltip: true } } },
    ];
    const made = lines([series("a", [1]), series("share", [0.5]), series("gone", [1])], { unit: "bytes" }, overrides);
    expect(made.map(({ name, scale }) => [name, scale])).toEqual([["a", "y"], ["share", "y2"]]);
  });

  it("bridges short gaps only", () => {
    expect(bridged([1, null, 3, null, null, null, 7], [0, 1, 2, 3, 4, 5, 6], 2000)).toEqual([1, undefined, 3, null, null, null, 7]);
  });
});
