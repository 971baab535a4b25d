// The server's dashboards.
import { projects, request, stores } from "../lib/api";
import type { MetricStore } from "../lib/prometheus";
import type { Dashboard, ImportReport, Summary } from "./model";

export async function dashboards(signal?: AbortSignal): Promise<Summary[]> {
  return (await request<{ dashboards: Summary[] }>("/api/dashboards", { signal })).dashboards;
}

function at(uid: string): string {
  return `/api/dashboards/${encodeURIComponent(uid)}`;
}

export function dashboard(uid: string, signal?: AbortSignal): Promise<Dashboard> {
  return request<Dashboard>(at(uid), { signal });
}

export async function deleteDashboard(uid: string): Promise<void> {
  await request<unknown>(at(uid), { method: "DELETE" });
}

/** `body` is the file as it is: the server keeps it, and names the line of a mistake in it. */
export async function importDashboard(body: string, signal?: AbortSignal): Promise<ImportReport> {
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body, signal };
  return (await request<{ report: ImportReport }>("/api/dashboards/import", init)).report;
}

/** Every metricstore of every project. */
export async function metricStores(signal?: AbortSignal): Promise<MetricStore[]> {
  const lists = await Promise.all((await projects(signal)).map((project) => stores(project, signal)));
  return lists.flat().filter(({ kind }) => kind === "metrics").map(({ project, name }) => ({ project, store: name }));
}
