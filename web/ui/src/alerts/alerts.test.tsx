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
    investigation: null,
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

  it("sets apart what the sentence names, in the order of the sentence", () => {
    const items = [
      { dimension: "service", value: "checkout", condition: "service = checkout", aliases: [] },
      { dimension: "version", value: "2.14.0", condition: "version = 2.14.0", aliases: [] },
    ];
    const sentence = "92 % of the failing requests run version = 2.14.0 of service = checkout; 3.1 % of the others do.";
    const first = { ...report.explanations[0]!, items };
    const cause = { status: "ready" as const, sentence, why: null, report: { ...report, explanations: [first] } };
    const { container } = render(<IncidentCard incident={incident({ cause })} open onToggle={() => {}} />);
    const marks = [...container.querySelectorAll("mark")].map((mark) => mark.textContent);
    expect(marks).toEqual(["version = 2.14.0", "service = checkout"]);
    expect(container.querySelector(".cause")?.textContent?.replaceAll("\u00a0", " ")).toBe(sentence);
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

  it("shows what else moved, in the order of time, and what the rule had before", async () => {
    const shift = {
      kind: "metric_shift",
      sentence: "queue_depth rose from 3 to 80, from 12:00:31 UTC on.",
      onset: "2026-01-01T12:00:31Z",
      q_value: 1e-6,
      score: 9,
      shares: [{ name: "customer_id", value: "1002" }],
    } as const;
    const past = {
      kind: "earlier_incident",
      sentence: "The same rule fired on 2025-12-01 at 10:00 UTC for the same cause: it was 1002",
      onset: "2025-12-01T10:00:00Z",
      q_value: null,
      score: 2,
      shares: [],
    } as const;
    const investigation: Incident["investigation"] = {
      status: "ready",
      sentence: shift.sentence,
      why: null,
      report: {
        sentence: shift.sentence,
        findings: [...Array.from({ length: 7 }, () => ({ ...shift, shares: [...shift.shares] })), { ...past, shares: [] }],
        timeline: [
          { at: "2026-01-01T12:00:31Z", what: "queue_depth rises from 3 to 80", finding: 0 },
          { at: "2026-01-01T12:01:00Z", what: "alert HighErrorRate became active", finding: null },
        ],
        looked_at: ["12 series of metrics"],
        left_out: ["web: the time budget was over"],
        elapsed_ms: 40,
      },
    };
    const { container } = render(<IncidentCard incident={incident({ investigation })} open onToggle={() => {}} />);
    for (const part of [shift.sentence, "shares customer_id = 1002", "12 series of metrics", "the time budget was over"]) {
      expect(container.textContent).toContain(part);
    }
    expect([...container.querySelectorAll(".timeline li")].map((line) => line.className)).toEqual(["", "timeline-alert"]);
    expect(container.textContent).not.toContain(past.sentence);
    fireEvent.click(screen.getByRole("button", { name: "2 more" }));
    expect(await screen.findByText(past.sentence)).toBeTruthy();
  });

  it("says that nothing else stands out", () => {
    const nothing = "Nothing stands out: all is within what chance does.";
    const calm = { sentence: nothing, findings: [], timeline: [], looked_at: [], left_out: [], elapsed_ms: 3 };
    const investigation: Incident["investigation"] = { status: "ready", sentence: nothing, why: null, report: calm };
    const { container } = render(<IncidentCard incident={incident({ investigation })} open onToggle={() => {}} />);
    expect(container.textContent).toContain(nothing);
  });

  it("does not say the cause again where nothing else moved", () => {
    const cause = { kind: "explanation", sentence: "It is host h7.", onset: null, q_value: 0, score: 9, shares: [] };
    const alone = { sentence: cause.sentence, findings: [cause], timeline: [], looked_at: [], left_out: [], elapsed_ms: 3 };
    const investigation = { status: "ready", sentence: cause.sentence, why: null, report: alone } as unknown as Incident["investigation"];
    render(<IncidentCard incident={incident({ investigation })} open onToggle={() => {}} />);
    expect(screen.getByText("Nothing else stands out.")).toBeTruthy();
    expect(screen.queryByText(cause.sentence)).toBeNull();
  });

  it("keeps the sentence in sight when folded", () => {
    const { container } = render(
      <IncidentCard incident={incident({ state: "resolved" })} open={false} onToggle={() => {}} />,
    );
    expect(container.textContent).toContain(report.sentence);
    expect(container.querySelector("table")).toBeNull();
  });
});
