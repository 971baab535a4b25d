// The address bar is the state of the console: every page reads its query and range from here and writes them back.
import { computed, signal } from "@preact/signals";

export const base = "/ui";

const address = signal(current());

function current(): { path: string; search: string } {
  const path = window.location.pathname;
  const inside = path.startsWith(base) ? path.slice(base.length) : path;
  return { path: inside.replace(/\/+$/, "") || "/", search: window.location.search };
}

/** The path below `/ui`, without a trailing slash; `/` for the query page. */
export const path = computed(() => address.value.path);

/** The query string as parameters; a fresh object for every change of address. */
export const parameters = computed(() => new URLSearchParams(address.value.search));

/** Makes an address of the console out of a path below `/ui` and parameters; absent and empty parameters are left out. */
export function href(to: string, query: Record<string, string | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value) search.set(name, value);
  }
  const text = search.toString();
  return base + to + (text ? `?${text}` : "");
}

/** Opens an address; `replace` keeps the history entry, for changes that are not worth a step back. */
export function navigate(to: string, how: "push" | "replace" = "push"): void {
  if (to !== window.location.pathname + window.location.search) {
    if (how === "push") window.history.pushState(null, "", to);
    else window.history.replaceState(null, "", to);
  }
  address.value = current();
}

/** Sets parameters of the current address; `undefined` removes one. */
export function setParameters(changes: Record<string, string | undefined>, how: "push" | "replace" = "replace"): void {
  const search = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") search.delete(name);
    else search.set(name, value);
  }
  const text = search.toString();
  navigate(window.location.pathname + (text ? `?${text}` : ""), how);
}

/** Follows the back button, and turns clicks on links to the console into navigation without a page load. */
export function startRouter(): void {
  window.addEventListener("popstate", () => (address.value = current()));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.hasAttribute("download")) return;
    const to = link.getAttribute("href");
    if (!to || !(to === base || to.startsWith(base + "/"))) return;
    event.preventDefault();
    navigate(to);
    window.scrollTo(0, 0);
  });
}
