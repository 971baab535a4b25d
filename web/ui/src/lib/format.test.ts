import { afterEach, describe, expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMoment,
  formatShare,
  formatShort,
  formatTimestamp,
} from "./format";
import { zone } from "./preferences";

afterEach(() => (zone.value = "local"));

describe("numbers", () => {
  it.each([
    [0, "0"],
    [0.1234567, "0.123"],
    [999, "999"],
    [1234567, "1.23M"],
    [-1500, "-1.5k"],
    [Infinity, "+Inf"],
    [NaN, "NaN"],
    [0.00000012, "1.20e-7"],
  ])("short %s is %s", (value, text) => expect(formatShort(value)).toBe(text));

  it.each([
    [0, "0 B"],
    [1536, "1.5 KiB"],
    [1023, "1023 B"],
    [5 * 1024 ** 3, "5 GiB"],
  ])("%s bytes are %s", (value, text) => expect(formatBytes(value)).toBe(text));

  it("counts have thousands apart", () => expect(formatCount(1234567)).toBe("1,234,567"));
});

describe("formatShare", () => {
  it.each([
    [0.904, "90.4 %"],
    [1, "100 %"],
    // Rounding must neither claim everything nor nothing.
    [0.9999, "99.9 %"],
    [0.0102, "1 %"],
    [0.0031, "0.31 %"],
    [0.00001, "< 0.01 %"],
    [0, "0 %"],
  ])("%s is %s", (value, text) => expect(formatShare(value)).toBe(text));
});

describe("times", () => {
  it.each([
    [0.0041, "4.1ms"],
    [0, "0ms"],
    [59, "59s"],
    [3725, "1h 2m"],
    [90061, "1d 1h"],
    [-90, "-1m 30s"],
  ])("%s seconds are %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it("a timestamp keeps its nanoseconds and takes the zone of the reader", () => {
    zone.value = "utc";
    expect(formatTimestamp("2026-08-01T13:05:09.123456789Z")).toBe("2026-08-01 13:05:09.123456789");
    expect(formatTimestamp("2026-08-01T13:05:09.500000000Z")).toBe("2026-08-01 13:05:09.5");
    expect(formatTimestamp("not a time")).toBe("not a time");
  });

  it("a moment of another day says its day", () => {
    zone.value = "utc";
    const now = Date.UTC(2026, 7, 1, 12);
    expect(formatMoment(now - 60_000, now)).toBe("11:59:00");
    expect(formatMoment(now - 86_400_000, now)).toBe("2026-07-31 12:00:00");
  });
});
