// The incidents as the server last told them, shared by the alerts page and the count in the navigation.
import { computed, signal } from "@preact/signals";
import { type Incident, incidents as fetchIncidents, isAbort } from "../lib/api";
import { messageOf } from "../lib/useTask";

export const incidents = signal<Incident[] | undefined>(undefined);
export const incidentsError = signal<string | undefined>(undefined);

export const firingCount = computed(
  () => incidents.value?.filter((incident) => incident.state === "firing").length ?? 0,
);

/** Asks once. A failed round keeps what is shown and says that it is old. */
export async function refreshIncidents(abort?: AbortSignal): Promise<void> {
  try {
    incidents.value = await fetchIncidents(abort);
    incidentsError.value = undefined;
  } catch (cause) {
    if (!isAbort(cause)) incidentsError.value = messageOf(cause);
  }
}
