// Made-up stores, rules and incidents in the shapes of the HTTP API.
import type { Explanation, Incident, Investigation, RuleGroup, Store } from "../src/lib/api";

export const projects = ["default", "system"];

const shopColumns = [
  ["_time", "Timestamp"],
  ["service", "Utf8"],
  ["method", "Utf8"],
  ["path", "Utf8"],
  ["status", "Int64"],
  ["latency_ms", "Float64"],
  ["customer_id", "Int64"],
  ["plan", "Utf8"],
  ["region", "Utf8"],
  ["zone", "Utf8"],
  ["host", "Utf8"],
  ["version", "Utf8"],
  ["browser", "Utf8"],
  ["trace_id", "Utf8"],
  ["cached", "Boolean"],
  ["_msg", "Utf8"],
] as const;

export function storesOf(project: string): Store[] {
  const base = { project, shards: 2, ttl_seconds: 2_592_000 };
  const columns = shopColumns.map(([name, type]) => ({ name, type }));
  const metrics: Store = { ...base, name: "metrics", kind: "metrics", rows: 812_004, bytes: 901_222, columns: [] };
  if (project === "system") return [metrics];
  return [{ ...base, name: "shop", kind: "logs", rows: 48_210, bytes: 3_100_400, columns }, metrics];
}

export function ruleGroups(): RuleGroup[] {
  const evaluated = { lastEvaluation: new Date(Date.now() - 2_000).toISOString(), evaluationTime: 0.0041 };
  return [
    {
      name: "shop",
      file: "shop.rules.yml",
      interval: 5,
      rules: [
        {
          type: "recording",
          name: "shop:errors:ratio_rate1m",
          query: 'sum(rate(shop_requests_total{status=~"5.."}[1m])) / sum(rate(shop_requests_total[1m]))',
          labels: {},
          health: "ok",
          ...evaluated,
        },
        {
          type: "alerting",
          name: "HighErrorRate",
          query: "shop:errors:ratio_rate1m > 0.05",
          duration: 10,
          state: "firing",
          labels: { severity: "critical" },
          health: "ok",
          ...evaluated,
        },
        {
          type: "alerting",
          name: "SlowCheckout",
          query: "histogram_quantil(0.99, shop_latency_bucket) > 2",
          duration: 60,
          state: "inactive",
          labels: {},
          health: "err",
          lastError: "unknown function histogram_quantil at 1:1; did you mean histogram_quantile?",
          ...evaluated,
        },
      ],
    },
  ];
}

function explanation(items: [string, string][], a: number, b: number, extra: Partial<Explanation> = {}): Explanation {
  return {
    items: items.map(([dimension, value]) => ({ dimension, value, aliases: [] })),
    rows_a: Math.round(a * 1335),
    rows_b: Math.round(b * 20412),
    support_a: a,
    support_b: b,
    support_ratio: a / b,
    risk_ratio: 128.4,
    ci: [109.2, 151.1],
    q_value: 3.1e-214,
    alternates: [],
    ...extra,
  };
}

function report() {
  const alternates = [
    explanation([["plan", "enterprise"]], 0.923, 0.14, { risk_ratio: 9.1, ci: [8.2, 10.1] }),
    explanation([["region", "eu-west-1"]], 0.871, 0.31, { risk_ratio: 4.2, ci: [3.9, 4.6] }),
  ];
  const first = explanation([["customer_id", "1002"]], 0.904, 0.0102, { alternates });
  first.items[0]!.aliases = [{ dimension: "account", value: "acme-gmbh" }];
  return {
    sentence: "90 % of the rows where status >= 500 have customer_id = 1002; 1 % of the others have it.",
    explanations: [
      first,
      explanation(
        [
          ["service", "search"],
          ["version", "2.4.1"],
        ],
        0.0412,
        0.0031,
        { risk_ratio: 13.3, ci: [9.8, 18.1], q_value: 0.00021 },
      ),
    ],
    left_out: [
      { dimension: "trace_id", why: "unique per row: 21,747 values in 21,747 rows" },
      { dimension: "status", why: "named in the predicate" },
      { dimension: "_msg", why: "free text" },
    ],
    exact: true,
    rows: 21_747,
    rows_a: 1335,
    rows_b: 20_412,
    elapsed_ms: 41,
  };
}

function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

function investigation(): Investigation {
  const findings: Investigation["findings"] = [
    {
      kind: "changed_label",
      sentence: "version 2.4.1 is new in shop (before: 2.4.0), with 48 % of what came, from 12:00:31 UTC on.",
      onset: ago(170),
      q_value: 1e-30,
      score: 18.6,
      shares: [{ name: "service", value: "checkout" }],
    },
    {
      kind: "metric_shift",
      sentence: 'queue_depth{service="checkout"} rose from 20.1 to 96.8 (4.82 times as much), from 12:00:45 UTC on.',
      onset: ago(155),
      q_value: 2e-5,
      score: 14.4,
      shares: [{ name: "service", value: "checkout" }],
    },
    {
      kind: "new_pattern",
      sentence: 'A message that was not there before, in 310 rows, from 12:00:32 UTC on: "connection to <*> refused after <num> ms".',
      onset: ago(168),
      q_value: 4e-12,
      score: 13.1,
      shares: [],
    },
    {
      kind: "earlier_incident",
      sentence: "The same rule fired on 2026-01-02 at 03:04 UTC for the same cause: 90 % of the failing requests have version = 2.4.1.",
      onset: ago(900_000),
      q_value: null,
      score: 2.3,
      shares: [],
    },
  ];
  return {
    sentence: findings.map((finding) => finding.sentence).join(" "),
    findings,
    timeline: [
      { at: ago(170), what: "first version = 2.4.1", finding: 0 },
      { at: ago(168), what: 'new message "connection to <*> refused after <num> ms"', finding: 2 },
      { at: ago(155), what: 'queue_depth{service="checkout"} rises from 20.1 to 96.8', finding: 1 },
      { at: ago(135), what: "alert HighErrorRate became active", finding: null },
    ],
    looked_at: ["48,210 rows of shop", "17 message patterns in 48,210 rows of shop", "412 series of metrics"],
    left_out: ["shop_requests_total: the rule reads it"],
    elapsed_ms: 412,
  };
}

export function incidents(): Incident[] {
  const base = {
    group: "shop",
    annotations: { summary: "More than 5 % of the shop's requests fail" },
    labels: { alertname: "HighErrorRate", team: "shop", service: "checkout" },
    severity: "critical",
    expression: "shop:errors:ratio_rate1m > 0.05",
    resolved_at: null,
    investigation: null,
  };
  const slice = {
    project: "default",
    store: "shop",
    where: "status >= 500",
    baseline: null,
    from: ago(300),
    to: ago(5),
  };
  return [
    {
      ...base,
      id: "1",
      rule: "HighErrorRate",
      state: "firing",
      value: 0.124,
      active_at: ago(135),
      fired_at: ago(125),
      slice,
      cause: { status: "ready", sentence: report().sentence, why: null, report: report() },
      investigation: { status: "ready", sentence: investigation().sentence, why: null, report: investigation() },
      notifications: [
        { receiver: "demo-webhook", at: ago(124), ok: true, error: null },
        { receiver: "ops-mail", at: ago(124), ok: false, error: "127.0.0.1:25 refused the connection" },
      ],
    },
    {
      ...base,
      id: "2",
      rule: "QueueGrows",
      state: "firing",
      severity: "warning",
      value: 1820,
      active_at: ago(65),
      fired_at: ago(60),
      slice: null,
      cause: {
        status: "none",
        sentence: null,
        why: "no slice given: add `explain:` to the rule or the annotation culprit_slice",
        report: null,
      },
      notifications: [],
    },
    {
      ...base,
      id: "3",
      rule: "DiskFillsUp",
      state: "pending",
      severity: "warning",
      value: 0.83,
      active_at: ago(20),
      fired_at: null,
      slice: null,
      cause: { status: "pending", sentence: null, why: null, report: null },
      notifications: [],
    },
    {
      ...base,
      id: "4",
      rule: "HighErrorRate",
      state: "resolved",
      value: 0.01,
      active_at: ago(9000),
      fired_at: ago(8990),
      resolved_at: ago(8000),
      slice,
      cause: { status: "ready", sentence: report().sentence, why: null, report: report() },
      notifications: [],
    },
  ];
}
