import { describe, expect, it } from "vitest";
import type { SqlResult, Store } from "../lib/api";
import { cellText, compareCells } from "./cells";
import { type Place, placeHref, quoteName, quoteText, readPlace } from "./location";
import { tableOf } from "./PromResults";
import { chartOf } from "./resultChart";
import { statistics } from "./run";
import { reasons } from "./ExplainResults";
import { storeInUse } from "./useCatalog";

describe("the address", () => {
  const places: Place[] = [
    { mode: "sql", project: "default", store: undefined, query: undefined, range: { from: "now-1h", to: "now" } },
    {
      mode: "promql",
      project: "system",
      store: "metrics",
      query: 'rate(a{b="c&d"}[5m])',
      range: { from: "now-6h", to: "now-1h" },
    },
    { mode: "sql", project: "default", store: "shop", query: "SELECT 1 -- ü\n", range: { from: "", to: "" } },
    {
      mode: "explain",
      project: "default",
      store: "shop",
      query: "status >= 500",
      baseline: "status < 400",
      range: { from: "now-1h", to: "now" },
    },
  ];
  it.each(places)("brings back what it was given", (place) => {
    expect(readPlace(new URL(placeHref(place), "http://x").searchParams)).toEqual(place);
  });
  it("is bare for the defaults", () => expect(placeHref(places[0] as Place)).toBe("/ui/"));
});

describe("SQL names and texts", () => {
  it("double their own quotes", () => {
    expect(quoteName('a"b')).toBe('"a""b"');
    expect(quoteText("it's")).toBe("'it''s'");
  });
});

describe("cells", () => {
  it("tell a missing value from text, and keep big integers", () => {
    const column = { name: "x", type: "Utf8" };
    expect(cellText(null, column)).toBeNull();
    expect(cellText("null", column)).toBe("null");
    expect(cellText({ a: 9007199254740993n }, column)).toBe('{"a":"9007199254740993"}');
  });
  it("sort numbers as numbers, across sizes, missing last", () => {
    const sorted = [null, 10, 9007199254740993n, 9, undefined, -1].toSorted(compareCells);
    expect(sorted.slice(0, 4)).toEqual([-1, 9, 10, 9007199254740993n]);
  });
});

const at = (second: number) => new Date(second * 1000).toISOString();

function result(columns: [string, string][], rows: unknown[][]): SqlResult {
  return { columns: columns.map(([name, type]) => ({ name, type })), rows, elapsed_ms: 1 };
}

describe("chartOf", () => {
  it("draws one line per key and number, in the order of time", () => {
    const rows = [
      [at(20), "a", 2],
      [at(10), "a", 1],
      [at(10), "b", 7],
    ];
    const chart = chartOf(
      result(
        [
          ["t", "Timestamp(Nanosecond)"],
          ["service", "Utf8"],
          ["n", "Int64"],
        ],
        rows,
      ),
    );
    expect(chart?.kind).toBe("lines");
    expect(chart?.series).toEqual([
      { name: "a", times: [10, 20], values: [1, 2] },
      { name: "b", times: [10], values: [7] },
    ]);
  });

  it("counts rows over time where they are single events", () => {
    const rows = Array.from({ length: 100 }, (_, index) => [at(index), "x", "y", "z", index]);
    const columns: [string, string][] = [
      ["_time", "Timestamp"],
      ["a", "Utf8"],
      ["b", "Utf8"],
      ["c", "Utf8"],
      ["n", "Int64"],
    ];
    const chart = chartOf(result(columns, rows));
    expect(chart?.kind).toBe("rows");
    expect(Array.from(chart?.series[0]?.values ?? []).reduce((sum: number, count) => sum + (count ?? 0), 0)).toBe(100);
  });

  it("takes repeated times of one key for events", () => {
    const rows = [
      [at(1), 5],
      [at(1), 6],
      [at(2), 7],
    ];
    expect(
      chartOf(
        result(
          [
            ["_time", "Timestamp"],
            ["n", "Int64"],
          ],
          rows,
        ),
      )?.kind,
    ).toBe("rows");
  });

  it.each([
    [
      "no time",
      [
        ["a", "Utf8"],
        ["n", "Int64"],
      ],
      [
        ["x", 1],
        ["y", 2],
      ],
    ],
    [
      "a single row",
      [
        ["t", "Timestamp"],
        ["n", "Int64"],
      ],
      [[at(1), 2]],
    ],
    [
      "all rows at one time",
      [
        ["t", "Timestamp"],
        ["n", "Int64"],
      ],
      [
        [at(1), 2],
        [at(1), 3],
      ],
    ],
  ] as [string, [string, string][], unknown[][]][])("draws nothing for %s", (_name, columns, rows) => {
    expect(chartOf(result(columns, rows))).toBeUndefined();
  });
});

describe("PromQL results as a table", () => {
  it("has the union of the labels, a missing one as missing", () => {
    const table = tableOf({
      resultType: "vector",
      result: [
        { metric: { job: "a" }, value: [1, "2.5"] },
        { metric: { zone: "z" }, value: [1, "+Inf"] },
      ],
    });
    expect(table.columns.map(({ name }) => name)).toEqual(["job", "zone", "value", "time"]);
    expect(table.rows).toEqual([
      ["a", null, 2.5, at(1)],
      [null, "z", Infinity, at(1)],
    ]);
  });
});

describe("statistics", () => {
  it("names rows and both times", () => {
    const sql = { mode: "sql" as const, result: result([["a", "Utf8"]], [["x"]]), totalMs: 12.4 };
    expect(statistics(sql)).toBe("1 row · 1 column · 1 ms on the server · 12 ms in all");
  });
});

function store(name: string, kind: "logs" | "metrics", rows: number): Store {
  return { project: "default", name, kind, shards: 2, ttl_seconds: null, rows, bytes: 0, columns: [] };
}

describe("storeInUse", () => {
  const stores = [
    store("metrics", "metrics", 9),
    store("small", "logs", 1),
    store("big", "logs", 5),
    store("a", "metrics", 1),
  ];
  it.each([
    ["sql", undefined, "big"],
    ["sql", "small", "small"],
    ["promql", undefined, "metrics"],
    ["promql", "big", "metrics"],
    ["sql", "gone", "big"],
  ] as const)("%s with %s reads %s", (mode, name, expected) => {
    expect(storeInUse(stores, mode, name)?.name).toBe(expected);
  });
  it("is absent in an empty project", () => expect(storeInUse([], "sql", "x")).toBeUndefined());
});

describe("what was left out of an explanation", () => {
  it("is said once per reason", () => {
    const leftOut = [
      { dimension: "message", why: "free text" },
      { dimension: "status", why: "the predicate names it" },
      { dimension: "url", why: "free text" },
    ];
    expect(reasons(leftOut)).toEqual([
      ["free text", ["message", "url"]],
      ["the predicate names it", ["status"]],
    ]);
  });
});
