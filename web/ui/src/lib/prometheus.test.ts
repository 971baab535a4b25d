import { describe, expect, it } from "vitest";
import { gridFor, matrixToSeries, sampleValue, seriesName } from "./prometheus";

describe("gridFor", () => {
  it.each([
    [0, 300, 1],
    [0, 3600, 15],
    [0, 86_400, 300],
    [0, 30 * 86_400, 10_800],
    [0, 3650 * 86_400, 13 * 86_400],
  ])("%s to %s has a step of %s", (from, to, step) => expect(gridFor(from, to).step).toBe(step));

  it("keeps both ends on the grid, so that a refresh asks for the same steps", () => {
    expect(gridFor(1003, 4599)).toEqual({ start: 1005, end: 4590, step: 15 });
  });

  it("a range shorter than a step is one step", () => {
    expect(gridFor(100.2, 100.4)).toEqual({ start: 100, end: 100, step: 1 });
  });
});

describe("matrixToSeries", () => {
  it("leaves a gap where a step has no sample or none that can be drawn", () => {
    const grid = { start: 0, end: 40, step: 10 };
    const values: [number, string][] = [
      [0, "1"],
      [20, "NaN"],
      [30, "+Inf"],
      [40, "5"],
    ];
    const [line] = matrixToSeries([{ metric: { __name__: "up" }, values }], grid);
    expect(line).toEqual({ name: "up", times: [0, 10, 20, 30, 40], values: [1, null, null, null, 5] });
  });
});

describe("names and values", () => {
  it.each([
    [{ __name__: "up" }, "up"],
    [{ __name__: "up", job: "a" }, 'up{job="a"}'],
    [{ job: 'a"b' }, '{job="a\\"b"}'],
    [{}, "{}"],
  ])("%j is %s", (metric, name) => expect(seriesName(metric as Record<string, string>)).toBe(name));

  it("reads what Prometheus writes", () => {
    expect(["+Inf", "-Inf", "1e3", "NaN"].map(sampleValue)).toEqual([Infinity, -Infinity, 1000, NaN]);
  });
});
