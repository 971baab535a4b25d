import { describe, expect, it } from "vitest";
import { interpolateQuery, interpolateText, legendName, references, type Scope } from "./interpolate";
import { durationMs, macroTimes, roundInterval } from "./interval";

const times = { from: 1_000_000, to: 4_600_000, interval: 15_000, rateInterval: 60_000 };
const one = (value: string): Scope[string] => ({ values: [value], plural: false });
const scope: Scope = {
  job: one("node"),
  path: { values: ["C:\\tmp"], plural: false },
  quote: one('a"b'),
  host: { values: ["10.0.0.1:9100"], plural: true },
  hosts: { values: ["a.b", "c|d"], plural: true },
  every: { values: ["a", "b"], plural: true, allValue: ".*", texts: ["All"] },
  window: one("$__auto"),
  n: one("5"),
};

describe("queries", () => {
  it.each([
    ['up{job="$job"}', 'up{job="node"}'],
    ['up{job="${job}", a="[[job]]"}', 'up{job="node", a="node"}'],
    // The dot of the pattern needs a backslash, and the string literal around it another one.
    ['up{i=~"$host"}', 'up{i=~"10\\\\.0\\\\.0\\\\.1:9100"}'],
    ['up{i=~"$hosts"}', 'up{i=~"(a\\\\.b|c\\\\|d)"}'],
    ['up{i=~"$every"}', 'up{i=~".*"}'],
    ['up{i=~"${every:pipe}"}', 'up{i=~".*"}'],
    ['up{i="$path"}', 'up{i="C:\\\\tmp"}'],
    ['up{i="$quote"}', 'up{i="a\\"b"}'],
    ["topk($n, x)", "topk(5, x)"],
    ["rate(x[$__rate_interval])", "rate(x[60s])"],
    ["rate(x[$window])", "rate(x[15s])"],
    ["increase(x[$__range]) / $__range_s", "increase(x[3600s]) / 3600"],
    ["x * ${__interval_ms}", "x * 15000"],
    ['label_replace(x, "a", "$1", "b", "(.*)")', 'label_replace(x, "a", "$1", "b", "(.*)")'],
    ["x[$unknown]", "x[$unknown]"],
  ])("%s becomes %s", (query, expected) => {
    expect(interpolateQuery(query, scope, times)).toBe(expected);
  });

  it.each([
    ["${hosts:csv}", "a.b,c|d"],
    ["${hosts:pipe}", "a.b|c|d"],
    ["${hosts:raw}", "a.b,c|d"],
    ["${hosts:regex}", "(a\\.b|c\\|d)"],
    ["${hosts:json}", '["a.b","c|d"]'],
    ["${hosts:doublequote}", '"a.b","c|d"'],
    ["${hosts:sqlstring}", "'a.b','c|d'"],
    ["${hosts:glob}", "{a.b,c|d}"],
    ["${hosts:percentencode}", "a.b%2Cc%7Cd"],
  ])("format %s gives %s", (query, expected) => {
    expect(interpolateQuery(query, scope, times)).toBe(expected);
  });
});

describe("texts", () => {
  it("shows what people chose", () => {
    expect(interpolateText("Load of $job ($hosts, $every)", scope)).toBe("Load of node (a.b + c|d, All)");
  });
  it("names the references", () => {
    expect(references("${a:csv} $b [[c]] $__range")).toEqual(["a", "b", "c", "__range"]);
  });
  it("fills labels into a legend", () => {
    expect(legendName("{{ device }} {{gone}}in", { device: "eth0" })).toBe("eth0 in");
    expect(legendName("__auto", {})).toBeUndefined();
    expect(legendName("", {})).toBeUndefined();
  });
});

describe("steps", () => {
  it.each([
    ["15s", 15_000],
    ["1h30m", 5_400_000],
    [">1m", 60_000],
    ["500ms", 500],
    ["", undefined],
    ["soon", undefined],
  ])("%s is %s ms", (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it("rounds as Grafana does", () => {
    expect([3, 12, 4000, 20_000, 100_000, 1e6, 1e8].map(roundInterval)).toEqual([1, 10, 5000, 20_000, 120_000, 900_000, 86_400_000]);
  });

  it("keeps rates over four scrapes and the grid below the server's limit", () => {
    const hour = macroTimes({ from: 0, to: 3_600_000, points: 1000 });
    expect(hour).toMatchObject({ interval: 15_000, rateInterval: 60_000 });
    const month = macroTimes({ from: 0, to: 30 * 86_400_000, points: 500 });
    expect(month).toMatchObject({ interval: 3_600_000, rateInterval: 3_615_000 });
    const crowded = macroTimes({ from: 0, to: 86_400_000, points: 100_000, least: 1000 });
    expect(86_400_000 / crowded.interval).toBeLessThanOrEqual(11_000);
  });
});
