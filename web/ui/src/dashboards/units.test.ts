import { describe, expect, it } from "vitest";
import { written } from "./units";

// Expected texts are those of Grafana's documentation of its units, with our three significant digits.
describe("units", () => {
  it.each<[number, string | undefined, number | undefined, string]>([
    [0, "short", undefined, "0"],
    [1234, "short", undefined, "1.23 K"],
    [1_500_000, "short", 1, "1.5 Mil"],
    [0.12345, undefined, undefined, "0.123"],
    [123456.7, "none", undefined, "123457"],
    [12.345, "percent", 1, "12.3%"],
    [0.5, "percentunit", undefined, "50%"],
    [1536, "bytes", undefined, "1.5 KiB"],
    [1536, "bytes", 0, "2 KiB"],
    [512, "bytes", 2, "512.00 B"],
    [1500, "decbytes", undefined, "1.5 kB"],
    [2, "mbytes", undefined, "2 MiB"],
    [2048, "mbytes", undefined, "2 GiB"],
    [8_000_000, "bps", undefined, "8 Mb/s"],
    [-2048, "binBps", undefined, "-2 KiB/s"],
    [0.0005, "s", undefined, "500 µs"],
    [0.25, "s", undefined, "250 ms"],
    [90, "s", undefined, "1.5 min"],
    [7200, "s", 1, "2.0 hours"],
    [0, "s", undefined, "0 s"],
    [0, "ms", undefined, "0 ms"],
    [1500, "ms", undefined, "1.5 s"],
    [3725, "dthms", undefined, "01:02:05"],
    [93_784, "dtdurations", undefined, "1 day"],
    [93_784, "dtdurations", 1, "1 day, 2 hours"],
    [1200, "reqps", undefined, "1.2 K req/s"],
    [3, "ops", undefined, "3 ops/s"],
    [2000, "pps", undefined, "2 kp/s"],
    [1_234_567, "locale", undefined, "1,234,567"],
    [-5, "currencyUSD", undefined, "-$5"],
    [1, "bool", undefined, "True"],
    [0, "bool_yes_no", undefined, "No"],
    [21.5, "celsius", undefined, "21.5 °C"],
    [0.004, "watt", undefined, "4 mW"],
    [4, "rows/s", undefined, "4 rows/s"],
    [4, "suffix: pods", undefined, "4 pods"],
    [4, "prefix:~", undefined, "~4"],
    [0, "bool:up/down", undefined, "down"],
    [Number.NaN, "bytes", undefined, "NaN"],
    [Infinity, "s", undefined, "+Inf"],
  ])("%d %s %s is written %s", (value, unit, decimals, text) => {
    expect(written(value, unit, decimals)).toBe(text);
  });

  it("writes a moment by its own format", () => {
    const at = new Date(2026, 7, 1, 13, 5, 9).getTime();
    expect(written(at, "time:YYYY-MM-DD HH:mm:ss")).toBe("2026-08-01 13:05:09");
  });
});
