// The frame of the console: mark, navigation, preferences, and the page that the address names.
import { useEffect } from "preact/hooks";
import { AlertsPage } from "./alerts/AlertsPage";
import { firingCount, refreshIncidents } from "./alerts/feed";
import { ErrorLine } from "./lib/ErrorLine";
import { Icon, type IconName, Mark } from "./lib/icons";
import { type Theme, theme, zone } from "./lib/preferences";
import { useLoad, usePolling } from "./lib/useTask";
import { lastAddress } from "./query/location";
import { QueryPage } from "./query/QueryPage";
import { base, href, path } from "./router";
import { UsagePage } from "./usage/UsagePage";

/** Away from the alerts page the count may lag; the page itself asks every two seconds. */
const FIRING_POLL_MS = 10_000;
const ALERTS_POLL_MS = 2_000;

const SECTIONS = [
  { to: "/", title: "Query" },
  { to: "/alerts", title: "Alerts" },
  { to: "/dashboards", title: "Dashboards" },
  { to: "/usage", title: "Usage" },
];

function sectionOf(at: string): string {
  return SECTIONS.findLast((section) => section.to !== "/" && at.startsWith(section.to))?.to ?? "/";
}

function Navigation({ section }: { section: string }) {
  return (
    <nav aria-label="Main">
      {SECTIONS.map(({ to, title }) => (
        <a key={to} href={to === "/" ? lastAddress.value : href(to)} aria-current={section === to ? "page" : undefined}>
          {title}
          {to === "/alerts" && firingCount.value > 0 && (
            <span class="nav-count" aria-label={`${firingCount.value} firing`}>
              {firingCount.value}
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}

const THEMES: { value: Theme; icon: IconName; title: string }[] = [
  { value: "system", icon: "auto", title: "Theme: as the system" },
  { value: "light", icon: "sun", title: "Theme: light" },
  { value: "dark", icon: "moon", title: "Theme: dark" },
];

function Preferences() {
  const index = THEMES.findIndex(({ value }) => value === theme.value);
  const shown = THEMES[index] ?? THEMES[0]!;
  const next = THEMES[(index + 1) % THEMES.length] ?? THEMES[0]!;
  return (
    <div class="preferences">
      <button
        type="button"
        title="Times are shown in this zone; click to change"
        onClick={() => (zone.value = zone.value === "utc" ? "local" : "utc")}
      >
        {zone.value === "utc" ? "UTC" : "Local time"}
      </button>
      <button type="button" title={shown.title} aria-label={shown.title} onClick={() => (theme.value = next.value)}>
        <Icon name={shown.icon} />
      </button>
    </div>
  );
}

/** A chunk of its own: whoever only queries does not load panels. */
function Dashboards({ uid }: { uid: string | undefined }) {
  const { value: pages, error } = useLoad(() => import("./dashboards"), []);
  if (error)
    return (
      <main class="page">
        <ErrorLine message={error} />
      </main>
    );
  if (!pages) return <main class="page empty">Loading…</main>;
  return uid ? <pages.DashboardPage key={uid} uid={uid} /> : <pages.DashboardsPage />;
}

function Page({ at }: { at: string }) {
  if (at === "/" || at === "/query") return <QueryPage />;
  if (at === "/alerts") return <AlertsPage />;
  if (at === "/usage") return <UsagePage />;
  const board = /^\/dashboards(?:\/([^/]+))?$/.exec(at);
  if (board) return <Dashboards uid={board[1] && decodeURIComponent(board[1])} />;
  return (
    <main class="page empty">
      <h1>Nothing is at {base + at}</h1>
      <p>
        <a href={href("/")}>Go to the query page</a>
      </p>
    </main>
  );
}

export function App() {
  const at = path.value;
  const section = sectionOf(at);
  usePolling(refreshIncidents, section === "/alerts" ? ALERTS_POLL_MS : FIRING_POLL_MS);
  useEffect(() => {
    const title = SECTIONS.find(({ to }) => to === section)?.title ?? "Query";
    document.title = `${firingCount.value > 0 ? `(${firingCount.value}) ` : ""}${title} · Culprit`;
  }, [section, firingCount.value]);
  return (
    <>
      <header class="topbar">
        <a class="brand" href={href("/")} aria-label="Culprit, query page">
          <Mark />
          <span>Culprit</span>
        </a>
        <Navigation section={section} />
        <Preferences />
      </header>
      <Page at={at} />
    </>
  );
}
