import { describe, expect, it } from "vitest";
import { reduce } from "./reduce";

describe("reducers", () => {
  const values = [null, 4, 1, null, 9, 2, null];
  it.each([
    ["lastNotNull", 2],
    ["last", null],
    ["firstNotNull", 4],
    ["first", null],
    ["min", 1],
    ["max", 9],
    ["mean", 4],
    ["median", 3],
    ["sum", 16],
    ["count", 4],
    ["countAll", 7],
    ["range", 8],
    ["diff", -2],
    ["diffperc", -0.5],
    // 4 to 1 is a reset and counts as 1; 1 to 9 counts as 8; 9 to 2 as 2.
    ["delta", 11],
    ["step", -7],
    ["variance", 9.5],
    ["stdDev", Math.sqrt(9.5)],
    ["p50", 3],
    ["allIsZero", false],
    ["allIsNull", false],
    ["distinctCount", 5],
    ["changeCount", 6],
  ])("%s", (name, expected) => {
    expect(reduce(values, name)).toBe(expected);
  });

  it("knows columns of nothing and of zeros", () => {
    expect([reduce([], "mean"), reduce([null, null], "max"), reduce([], "lastNotNull")]).toEqual([null, null, null]);
    expect([reduce([0, null, 0], "allIsZero"), reduce([null], "allIsZero"), reduce([null], "allIsNull")]).toEqual([true, false, true]);
  });

  it("keeps infinities and skips what is no number", () => {
    expect(reduce([1, Infinity, Number.NaN], "max")).toBe(Infinity);
    expect(reduce(["b", "a"], "lastNotNull")).toBe("a");
  });
});
