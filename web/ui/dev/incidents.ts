// Made-up stores, rules and incidents in the shapes of the HTTP API.
import type { Explanation, Incident, RuleGroup, Store } from "../src/lib/api";

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

export function incidents(): Incident[] {
  const base = {
    group: "shop",
    annotations: { summary: "More than 5 % of the shop's requests fail" },
    labels: { alertname: "HighErrorRate", team: "shop", service: "checkout" },
    severity: "critical",
    expression: "shop:errors:ratio_rate1m > 0.05",
    resolved_at: null,
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
