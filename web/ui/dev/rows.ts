// Made-up answers to the few forms of SQL that the console itself writes.
import type { SqlResult } from "../src/lib/api";
import { storesOf } from "./incidents.ts";

const services = ["cart", "catalog", "checkout", "frontend", "payment", "search"];

function limitOf(query: string): number {
  return Number(/LIMIT (\d+)/.exec(query)?.[1] ?? 500);
}

function pick<T>(list: readonly T[], seed: number): T {
  return list[Math.abs(Math.floor(Math.sin(seed * 12.9898) * 43758.5453)) % list.length] as T;
}

function row(index: number): unknown[] {
  const service = pick(services, index);
  const failing = index % 11 === 0;
  const time = `${new Date(Date.now() - index * 730).toISOString().slice(0, -1)}417Z`;
  const customer = failing ? 1002 : 1000 + (index % 97);
  return [
    time,
    service,
    pick(["GET", "POST"], index + 3),
    pick(["/", "/cart", "/api/items", "/checkout"], index + 7),
    failing ? 503 : 200,
    Number((Math.abs(Math.sin(index)) * 180).toFixed(3)),
    customer,
    index % 5 ? "free" : "enterprise",
    pick(["eu-west-1", "us-east-1"], index + 1),
    pick(["a", "b", "c"], index),
    `host-${index % 12}`,
    pick(["2.4.0", "2.4.1"], index + 9),
    pick(["firefox", "chrome", "safari"], index + 2),
    `4bf92f3577b34da6${String(index).padStart(6, "0")}`,
    index % 3 === 0,
    failing ? null : `request to ${service} done`,
  ];
}

function trend(): SqlResult {
  const rows = Array.from({ length: 60 }, (_, index) => {
    const cause = index < 38 ? index % 3 : 40 + 9 * Math.sin(index);
    return [
      new Date(Date.now() - (60 - index) * 10_000).toISOString(),
      Math.round(cause),
      Math.round(cause + 4 + (index % 4)),
    ];
  });
  const columns = [
    { name: "bin", type: "Timestamp" },
    { name: "having_it", type: "Int64" },
    { name: "total", type: "Int64" },
  ];
  return { columns, rows, elapsed_ms: 9.4 };
}

export function answerSql({ query }: { query: string }): SqlResult | { error: string } {
  if (query.includes("date_bin")) return trend();
  const columns = storesOf("default")[0]?.columns ?? [];
  if (!query.includes("shop"))
    return { error: "no store `shp` in project default; did you mean shop? GET /api/stores lists them" };
  if (query.includes("1 = 0")) return { columns, rows: [], elapsed_ms: 2 };
  return { columns, rows: Array.from({ length: limitOf(query) }, (_, index) => row(index)), elapsed_ms: 12.3 };
}
