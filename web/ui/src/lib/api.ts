// The console's only door to the server: typed shapes of its JSON and one bounded, abortable fetch.

/** An answer above this is cut off by name instead of freezing the tab. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** A refusal by the server (its own sentence) or a server that does not answer (status 0). */
export class ApiError extends Error {
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

export function isAbort(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === "AbortError";
}

export interface Column {
  name: string;
  type: string;
}
export interface SqlResult {
  columns: Column[];
  rows: unknown[][];
  elapsed_ms: number;
}
export interface SqlRequest {
  project: string;
  query: string;
  from?: string | number;
  to?: string | number;
}
export interface Store {
  project: string;
  name: string;
  kind: "logs" | "metrics";
  shards: number;
  ttl_seconds: number | null;
  rows: number;
  bytes: number;
  columns: Column[];
}

export type LabelSet = Record<string, string>;
/** Unix seconds and the value as Prometheus writes it: a string, because JSON has no NaN or Inf. */
export type Sample = [number, string];
export interface MatrixSeries {
  metric: LabelSet;
  values: Sample[];
}
export interface VectorSample {
  metric: LabelSet;
  value: Sample;
}
export type PromResult =
  | { resultType: "matrix"; result: MatrixSeries[] }
  | { resultType: "vector"; result: VectorSample[] }
  | { resultType: "scalar" | "string"; result: Sample };

export interface Item {
  dimension: string;
  value: string;
  /** As a person writes it: `customer_id = 1002`, `latency_ms >= 812`. */
  condition?: string;
  aliases?: { dimension: string; value: string }[];
}
export interface Explanation {
  items: Item[];
  rows_a: number;
  rows_b: number;
  support_a: number;
  support_b: number;
  support_ratio?: number | null;
  risk_ratio?: number | null;
  ci?: [number, number] | null;
  q_value?: number | null;
  alternates?: Explanation[];
}
export interface Report {
  sentence: string;
  explanations: Explanation[];
  /** Common in B and missing, or nearly, in A. */
  vanished?: Explanation[];
  left_out: { dimension: string; why: string }[];
  cuts?: string[];
  exact: boolean;
  rows: number;
  rows_a: number;
  rows_b: number;
  elapsed_ms: number;
}
/** What was found so far, or in the end. */
export interface ProvisionalReport extends Report {
  provisional: boolean;
}
export interface ExplainRequest {
  project: string;
  store: string;
  where: string;
  baseline?: string;
  from?: string;
  to?: string;
}
export interface Slice {
  project: string;
  store: string;
  where: string;
  baseline: string | null;
  from: string;
  to: string;
}
/** One piece of evidence of an investigation; its kind's own fields are told by its sentence. */
export interface Finding {
  kind:
    | "explanation"
    | "metric_shift"
    | "new_pattern"
    | "vanished_pattern"
    | "changed_label"
    | "earlier_incident";
  sentence: string;
  onset: string | null;
  q_value: number | null;
  score: number;
  shares: { name: string; value: string }[];
}
export interface Moment {
  at: string;
  what: string;
  finding: number | null;
}
export interface Investigation {
  sentence: string;
  findings: Finding[];
  timeline: Moment[];
  looked_at: string[];
  left_out: string[];
  elapsed_ms: number;
}
/** What is searched for an incident: on its way, there, or given up. */
interface Searched<T> {
  status: "ready" | "pending" | "none";
  sentence: string | null;
  why: string | null;
  report: T | null;
}
export interface Incident {
  id: string;
  rule: string;
  group: string;
  state: "pending" | "firing" | "resolved";
  severity: string | null;
  labels: LabelSet;
  annotations: LabelSet;
  value: number | null;
  active_at: string;
  fired_at: string | null;
  resolved_at: string | null;
  expression: string;
  slice: Slice | null;
  cause: Searched<Report>;
  /** Null before it begins. */
  investigation: Searched<Investigation> | null;
  notifications: { receiver: string; at: string; ok: boolean; error: string | null }[];
}
export interface Rule {
  type: "alerting" | "recording";
  name: string;
  query: string;
  duration?: number;
  state?: "inactive" | "pending" | "firing";
  labels: LabelSet;
  annotations?: LabelSet;
  health: "ok" | "err" | "unknown";
  lastError?: string;
  lastEvaluation?: string;
  evaluationTime?: number;
}
export interface RuleGroup {
  name: string;
  file: string;
  interval: number;
  rules: Rule[];
}

/** Hands over the lines that end behind `told`; gives where the rest begins. */
function handLines(text: string, told: number, onLine: (line: string) => void): number {
  let begin = told;
  for (let end = text.indexOf("\n", begin); end >= 0; end = text.indexOf("\n", begin)) {
    onLine(text.slice(begin, end));
    begin = end + 1;
  }
  return begin;
}

/** The whole text. Whole lines are handed to `onLine` as they come, the last one too. */
async function readBounded(response: Response, onLine?: (line: string) => void): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return response.text();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  let told = 0;
  for (;;) {
    if (onLine) told = handLines(text, told, onLine);
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > ANSWER_BYTES_MAX) {
      await reader.cancel();
      const limit = ANSWER_BYTES_MAX / (1024 * 1024);
      throw new ApiError(`the answer is over ${limit} MB, which is all this page takes; add a LIMIT or a filter`, 0);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** The reviver's third argument, which TypeScript's library does not know yet. */
interface Source {
  source?: string;
}

function exactInteger(_key: string, value: unknown, context?: Source): unknown {
  const source = context?.source;
  if (typeof value !== "number" || Number.isSafeInteger(value) || !source || !/^-?\d+$/.test(source)) return value;
  return BigInt(source);
}

/**
 * JSON with every integer as it was written: one beyond 2^53 becomes a bigint instead of losing its last digits. Browsers
 * that do not tell the source of a number round it, as they always did.
 */
export function parseJson(text: string): unknown {
  // The reviver costs several times the parsing, so that only texts with a long number pay for it.
  return /\d{16}/.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function refusal(body: unknown, text: string, response: Response): string {
  if (typeof body === "object" && body !== null && "error" in body && typeof body.error === "string") return body.error;
  // The log service's API has words of its own.
  if (typeof body === "object" && body !== null && "errorMessage" in body && typeof body.errorMessage === "string") {
    return body.errorMessage;
  }
  const first = text.trim().split("\n", 1)[0] ?? "";
  return first || `the server answered ${response.status} ${response.statusText} without a reason`;
}

async function fetched(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    throw new ApiError(`the server at ${window.location.origin} does not answer; is it running?`, 0);
  }
}

/** One request. JSON in, JSON out; throws `ApiError`, or the `AbortError` of the caller's own signal. */
export async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetched(path, { ...init, headers: { Accept: "application/json", ...init.headers } });
  const text = await readBounded(response);
  const body = parsed(text);
  if (!response.ok) throw new ApiError(refusal(body, text, response), response.status);
  if (body === undefined && response.status !== 204) {
    throw new ApiError(`the server's answer to ${path.split("?", 1)[0]} is not JSON`, response.status);
  }
  return body as T;
}

/** Sends `body` as JSON. */
export function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  return request<T>(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

export function sql(query: SqlRequest, signal?: AbortSignal): Promise<SqlResult> {
  return post<SqlResult>("/api/sql", query, signal);
}

/** Hands over provisional reports as they come, and gives the last one. */
export async function explain(
  asked: ExplainRequest,
  signal: AbortSignal,
  onReport: (report: ProvisionalReport) => void,
): Promise<ProvisionalReport> {
  const path = "/api/explain";
  const headers = { "Content-Type": "application/json", Accept: "application/x-ndjson" };
  const response = await fetched(path, { method: "POST", headers, body: JSON.stringify(asked), signal });
  if (!response.ok) {
    const text = await readBounded(response);
    throw new ApiError(refusal(parsed(text), text, response), response.status);
  }
  let last: ProvisionalReport | undefined;
  await readBounded(response, (line) => {
    const body = parsed(line) as ProvisionalReport | { error: string } | undefined;
    if (body === undefined || "error" in body) {
      throw new ApiError(body?.error ?? `the server's answer to ${path} is not JSON`, response.status);
    }
    last = body;
    if (body.provisional) onReport(body);
  });
  if (!last || last.provisional) throw new ApiError("the server broke its answer off", 0);
  return last;
}

export async function projects(signal?: AbortSignal): Promise<string[]> {
  return (await request<{ projects: string[] }>("/api/projects", { signal })).projects;
}

export async function stores(project: string, signal?: AbortSignal): Promise<Store[]> {
  const path = `/api/stores?project=${encodeURIComponent(project)}`;
  return (await request<{ stores: Store[] }>(path, { signal })).stores;
}

export async function incidents(signal?: AbortSignal): Promise<Incident[]> {
  return (await request<{ incidents: Incident[] }>("/api/incidents", { signal })).incidents;
}

export async function ruleGroups(signal?: AbortSignal): Promise<RuleGroup[]> {
  return (await request<{ data: { groups: RuleGroup[] } }>("/api/v1/rules", { signal })).data.groups;
}
