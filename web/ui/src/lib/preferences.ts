// What one reader prefers in one browser: theme and time zone. Kept in localStorage, never in the address.
import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
export type Zone = "local" | "utc";

function stored<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
  try {
    const found = window.localStorage.getItem(key);
    return allowed.find((value) => value === found) ?? fallback;
  } catch {
    // Storage is refused in some private windows; the preference then lives as long as the page.
    return fallback;
  }
}

function store(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value);
  } catch {
    // See `stored`.
  }
}

export const theme = signal<Theme>(stored("culprit.theme", ["system", "light", "dark"], "system"));
export const zone = signal<Zone>(stored("culprit.zone", ["local", "utc"], "local"));

const systemDark = signal(false);

/** Whether the page is dark, whichever way that was decided. Charts redraw when it changes. */
export function isDark(): boolean {
  return theme.value === "dark" || (theme.value === "system" && systemDark.value);
}

export function startPreferences(): void {
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  systemDark.value = media.matches;
  media.addEventListener("change", (event) => (systemDark.value = event.matches));
  effect(() => {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    store("culprit.theme", theme.value);
  });
  effect(() => store("culprit.zone", zone.value));
}
