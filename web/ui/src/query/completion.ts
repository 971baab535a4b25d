// What completion of PromQL asks the server: metric names once a minute, labels and values on demand.
import { labelNames, labelValues, type MetricStore, seriesOf } from "../lib/prometheus";

const METRIC_NAMES_AGE_MS = 60_000;
/** How far back a series must have a sample to be offered. */
const LOOKBACK_SECONDS = 3600;

interface Known {
  at: number;
  names: Promise<string[]>;
}

const known = new Map<string, Known>();

function selector(metric: string | undefined): string | undefined {
  return metric ? `{__name__=${JSON.stringify(metric)}}` : undefined;
}

/** The names of all metrics of a store. A failed answer is not kept. */
export function metricNames(at: MetricStore): Promise<string[]> {
  const key = `${at.project}/${at.store}`;
  const found = known.get(key);
  if (found && Date.now() - found.at < METRIC_NAMES_AGE_MS) return found.names;
  const names = labelValues(at, "__name__");
  names.catch(() => known.delete(key));
  known.set(key, { at: Date.now(), names });
  return names;
}

/** Completion without an answer is completion without suggestions; the query itself will say what is wrong. */
async function orEmpty<T>(answer: Promise<T[]>): Promise<T[]> {
  try {
    return await answer;
  } catch {
    return [];
  }
}

/** The client interface of codemirror-promql on top of the console's own requests. */
export function completionClient(at: MetricStore) {
  return {
    labelNames: (metric?: string) => orEmpty(labelNames(at, selector(metric))),
    labelValues: (label: string, metric?: string) =>
      orEmpty(label === "__name__" ? metricNames(at) : labelValues(at, label, selector(metric))),
    metricNames: () => orEmpty(metricNames(at)),
    metricMetadata: async () => ({}),
    flags: async () => ({}),
    series: async (metric: string) => {
      const end = Math.floor(Date.now() / 1000);
      const match = selector(metric);
      if (!match) return [];
      const found = await orEmpty(seriesOf(at, match, { start: end - LOOKBACK_SECONDS, end, step: 1 }));
      return found.map((labels) => new Map(Object.entries(labels)));
    },
  };
}
