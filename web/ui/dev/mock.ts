// A stand-in for the server while none runs: `npm run dev` without CULPRIT_URL. It is no part of what is built.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import { incidents, projects, ruleGroups, storesOf } from "./incidents.ts";
import { instant, metricNames, range } from "./metrics.ts";
import { answerSql } from "./rows.ts";
import { groupsOf, usageOf } from "./usage.ts";

type Body = Record<string, unknown>;

async function readBody(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
}

function prometheus(path: string, form: URLSearchParams): Body | undefined {
  const data = (() => {
    if (path.endsWith("/query_range")) return range(form);
    if (path.endsWith("/query")) return instant(form);
    if (path.endsWith("/label/__name__/values")) return metricNames;
    if (path.endsWith("/labels")) return ["__name__", "service", "status"];
    if (path.endsWith("/rules")) return { groups: ruleGroups() };
    if (path.endsWith("/series") || path.endsWith("/values")) return [];
    return undefined;
  })();
  if (data === undefined) return undefined;
  return typeof data === "string"
    ? { status: "error", errorType: "bad_data", error: data }
    : { status: "success", data };
}

async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const text = await readBody(request);
  const form = new URLSearchParams(request.method === "POST" ? text : url.search);
  switch (url.pathname) {
    case "/api/projects":
      return send(response, { projects });
    case "/api/stores":
      return send(response, { stores: storesOf(url.searchParams.get("project") ?? "default") });
    case "/api/incidents":
      return send(response, { incidents: incidents() });
    case "/api/admin/usage":
      return send(response, usageOf(url.searchParams.get("project")));
    case "/api/groups":
      return send(response, { groups: groupsOf(url.searchParams.get("project")) });
    case "/api/dashboards":
      return send(response, { dashboards: [] });
    case "/api/sql": {
      const result = answerSql(JSON.parse(text) as { query: string });
      return send(response, result, "error" in result ? 400 : 200);
    }
  }
  const found = prometheus(url.pathname, form);
  if (!found) return send(response, { error: `the development server has no ${url.pathname}` }, 404);
  return send(response, found, found.status === "error" ? 400 : 200);
}

export function mockServer(): Plugin {
  return {
    name: "culprit-mock",
    apply: "serve",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const url = new URL(request.url ?? "/", "http://localhost");
        if (!/^\/(api|prometheus)\//.test(url.pathname)) return next();
        answer(request, response, url).catch(next);
      });
    },
  };
}
