import { describe, expect, it } from "vitest";
import { rangeLabel, resolveRange, resolveTime } from "./timerange";

const NOW = Date.UTC(2026, 7, 1, 12);

describe("resolveTime", () => {
  it.each([
    ["now", NOW],
    ["now-90m", NOW - 5_400_000],
    ["now-7d", NOW - 604_800_000],
    ["2026-08-01T11:00:00Z", NOW - 3_600_000],
    ["2026-08-01T11:00:00+02:00", NOW - 3 * 3_600_000],
    ["", undefined],
    ["  ", undefined],
    ["yesterday", null],
    ["now-5x", null],
  ])("%j", (text, expected) => expect(resolveTime(text, NOW)).toBe(expected));

  it("a time without a zone is local", () => {
    expect(resolveTime("2026-08-01 13:00", NOW)).toBe(new Date(2026, 7, 1, 13).getTime());
  });
});

describe("resolveRange", () => {
  it("gives two ends to an unbounded range", () => {
    expect(resolveRange({ from: "", to: "" }, NOW)).toEqual({ from: NOW - 3_600_000, to: NOW });
  });
  it("never gives an empty or reversed range", () => {
    expect(resolveRange({ from: "now", to: "now-1h" }, NOW)).toEqual({ from: NOW - 3_601_000, to: NOW - 3_600_000 });
  });
});

describe("rangeLabel", () => {
  it.each([
    [{ from: "now-1h", to: "now" }, "Last 1 hour"],
    [{ from: "now-90m", to: "now" }, "Last 90m"],
    [{ from: "", to: "" }, "All time"],
    [{ from: "2026-08-01", to: "" }, "2026-08-01 → …"],
  ])("%j", (range, label) => expect(rangeLabel(range)).toBe(label));
});
