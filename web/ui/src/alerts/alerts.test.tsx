import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Incident, Report } from "../lib/api";
import { IncidentCard } from "./IncidentCard";
import { itemPredicate, rowsHref, trendQuery } from "./predicate";

const types: Record<string, string> = { n: "Int64", f: "Float64", s: "Utf8", b: "Boolean" };
const typeOf = (column: string) => types[column];

describe("itemPredicate", () => {
  it.each([
    ["s", "it's", `"s" = 'it''s'`],
    ["n", "1002", `"n" = 1002`],
    ["f", "-1.5e-3", `"f" = -1.5e-3`],
    ["b", "true", `"b" = true`],
    ["s", "007", `"s" = '007'`],
    ["unknown", "7", `"unknown" = '7'`],
    ["s", "NULL", `"s" IS NULL`],
    ["f", ">= 812.5", `"f" >= 812.5`],
    ["n", "[3, 9)", `"n" >= 3 AND "n" < 9`],
    // The same characters in a text column are a text.
    ["s", ">= 5", `"s" = '>= 5'`],
  ])("%s = %s", (dimension, value, expected) => expect(itemPredicate({ dimension, value }, typeOf)).toBe(expected));
});

const slice = {
  project: "default",
  store: "shop",
  where: "status >= 500 OR failed",
  baseline: null,
  from: "2026-08-01T12:00:00.000Z",
  to: "2026-08-01T12:10:00.000Z",
};

describe("queries behind the evidence", () => {
  it("keeps the predicate together when it is narrowed", () => {
    const query = new URL(rowsHref(slice, [{ dimension: "n", value: "1002" }], typeOf), "http://x").searchParams.get(
      "q",
    );
    expect(query).toBe(
      'SELECT *\nFROM "shop"\nWHERE (status >= 500 OR failed)\n  AND "n" = 1002\nORDER BY _time DESC\nLIMIT 500',
    );
  });

  it("shows twice the slice's length before it", () => {
    const { from, to, query } = trendQuery(slice, [{ dimension: "n", value: "1" }], typeOf);
    expect([from, to]).toEqual(["2026-08-01T11:40:00.000Z", "2026-08-01T12:10:00.000Z"]);
    expect(query).toContain("INTERVAL '30 seconds'");
  });
});

const report: Report = {
  sentence: "90 % of the rows where status >= 500 have customer_id = 1002; 1 % of the others have it.",
  explanations: [
    {
      items: [{ dimension: "customer_id", value: "1002", aliases: [{ dimension: "account", value: "acme" }] }],
      rows_a: 904,
      rows_b: 12,
      support_a: 0.904,
      support_b: 0.0102,
      risk_ratio: 128.4,
      ci: [109.2, 151.1],
      q_value: 1e-30,
      alternates: [
        {
          items: [{ dimension: "plan", value: "enterprise" }],
          rows_a: 910,
          rows_b: 200,
          support_a: 0.91,
          support_b: 0.17,
        },
      ],
    },
  ],
  left_out: [{ dimension: "trace_id", why: "unique per row" }],
  exact: true,
  rows: 2200,
  rows_a: 1000,
  rows_b: 1200,
  elapsed_ms: 12,
};

function incident(changes: Partial<Incident> = {}): Incident {
  return {
    id: "1",
    rule: "HighErrorRate",
    group: "shop",
    state: "firing",
    severity: "critical",
    labels: { alertname: "HighErrorRate", team: "shop" },
    annotations: {},
    value: 0.12,
    active_at: slice.from,
    fired_at: slice.from,
    resolved_at: null,
    expression: "errors > 0.05",
    slice: null,
    cause: { status: "ready", sentence: report.sentence, why: null, report },
    notifications: [],
    ...changes,
  };
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("IncidentCard", () => {
  it("shows the sentence, both shares with their rows, the interval, and what was left out", () => {
    const { container } = render(<IncidentCard incident={incident()} open onToggle={() => {}} />);
    const text = (container.textContent ?? "").replaceAll("\u00a0", " ");
    for (const part of [
      report.sentence,
      "90.4 %",
      "904 rows",
      "1 %",
      "12 rows",
      "128×",
      "95 %: 109× to 151×",
      "account = acme",
      "trace_id",
      "unique per row",
    ]) {
      expect(text).toContain(part);
    }
    expect(container.querySelector("mark")?.textContent).toBe("customer_id = 1002");
  });

  it("unfolds the alternates on demand", async () => {
    render(<IncidentCard incident={incident()} open onToggle={() => {}} />);
    expect(screen.queryByText("enterprise")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: /1 correlate folded/ }));
    expect(await screen.findByText("enterprise")).toBeTruthy();
  });

  it.each([
    [{ status: "pending", sentence: null, why: null, report: null }, "Looking for the cause…"],
    [{ status: "none", sentence: null, why: "no slice given", report: null }, "No cause: no slice given"],
  ] as [Incident["cause"], string][])("says where no cause is: %j", (cause, expected) => {
    const { container } = render(<IncidentCard incident={incident({ cause })} open onToggle={() => {}} />);
    expect(container.textContent).toContain(expected);
  });

  it("keeps the sentence in sight when folded", () => {
    const { container } = render(
      <IncidentCard incident={incident({ state: "resolved" })} open={false} onToggle={() => {}} />,
    );
    expect(container.textContent).toContain(report.sentence);
    expect(container.querySelector("table")).toBeNull();
  });
});
