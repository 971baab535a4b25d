// What is wrong at the moment and why: firing incidents open with their causes, resolved ones folded, rules below.
import { useState } from "preact/hooks";
import type { Incident } from "../lib/api";
import { ErrorLine } from "../lib/ErrorLine";
import { Icon } from "../lib/icons";
import { incidents, incidentsError } from "./feed";
import { IncidentCard } from "./IncidentCard";
import { RulesTable } from "./RulesTable";

const ORDER = { firing: 0, pending: 1, resolved: 2 } as const;

/** Firing before pending before resolved; the newest first within a state, as the server sends them. */
export function ranked(list: Incident[]): Incident[] {
  return [...list].toSorted((a, b) => ORDER[a.state] - ORDER[b.state]);
}

function counts(list: Incident[]): string {
  const of = (state: Incident["state"]) => list.filter((incident) => incident.state === state).length;
  return `${of("firing")} firing, ${of("pending")} pending, ${of("resolved")} resolved`;
}

function Cards({ list }: { list: Incident[] }) {
  // The reader's own choice by incident; without one, what is on fire is open.
  const [chosen, setChosen] = useState<ReadonlyMap<string, boolean>>(new Map());
  return (
    <div class="incidents">
      {list.map((incident) => {
        const open = chosen.get(incident.id) ?? incident.state === "firing";
        return (
          <IncidentCard
            key={incident.id}
            incident={incident}
            open={open}
            onToggle={() => setChosen(new Map(chosen).set(incident.id, !open))}
          />
        );
      })}
    </div>
  );
}

function Resolved({ list }: { list: Incident[] }) {
  const [open, setOpen] = useState(false);
  if (list.length === 0) return null;
  return (
    <section class="resolved">
      <button type="button" class="disclosure" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="chevron" size={12} />
        {list.length} resolved
      </button>
      {open && <Cards list={list} />}
    </section>
  );
}

export function AlertsPage() {
  const list = incidents.value;
  const current = ranked((list ?? []).filter(({ state }) => state !== "resolved"));
  const resolved = (list ?? []).filter(({ state }) => state === "resolved");
  return (
    <main class="page alerts">
      <div class="page-head">
        <h1>Alerts</h1>
        <p class="muted" role="status" aria-live="polite">
          {list ? counts(list) : "Loading…"}
        </p>
      </div>
      {incidentsError.value && <ErrorLine message={incidentsError.value} />}
      {list && current.length === 0 && (
        <p class="card calm">
          <Icon name="resolved" /> Nothing is firing.
        </p>
      )}
      <Cards list={current} />
      <Resolved list={resolved} />
      <RulesTable />
    </main>
  );
}
