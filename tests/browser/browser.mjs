// The browser of the tests: Debian's Chromium, started once, with a page that remembers every error it logged.
import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

const ARGUMENTS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch() {
  return chromium.launch({ executablePath: EXECUTABLE, chromiumSandbox: false, args: ARGUMENTS });
}

/** A page of its own context. `errors` fills with uncaught exceptions, console errors and failed requests. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`console: ${message.text()} ${message.location().url}`);
  });
  return { page, errors, close: () => context.close() };
}

function server() {
  const url = process.env.CULPRIT_URL;
  if (!url) throw new Error("CULPRIT_URL is not set; it names the running demo server, such as http://127.0.0.1:6700");
  return url;
}

/** The console's address below the server under test. */
export function consoleUrl(path = "/") {
  return new URL(`/ui${path}`, server()).href;
}

/** What the server says beside the console: the oracle of what a page must show. */
export async function serverJson(path) {
  const response = await fetch(new URL(path, server()));
  assert.equal(response.status, 200, `GET ${path}`);
  return response.json();
}

export async function serverStores(project) {
  return (await serverJson(`/api/stores?project=${project}`)).stores;
}

/** No serious finding of axe, which knows WCAG's rules for roles, names, contrast and focus. */
export async function assertAccessible(page) {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
    // Rows of a table are all alike, and contrast costs axe a quarter of a second for each of its cells.
    const context = { exclude: [".grid-row:nth-child(n+4)"] };
    return (await window.axe.run(context, { runOnly: tags, resultTypes: ["violations"] })).violations;
  });
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
  assert.deepEqual(told, []);
}

/** How many coloured pixels a canvas shows: axes and grid are grey, so that an empty chart has none. */
export function coloredPixels(page, selector) {
  return page
    .locator(selector)
    .first()
    .evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let colored = 0;
      for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = data.subarray(at, at + 4);
        if (alpha >= 64 && Math.max(red, green, blue) - Math.min(red, green, blue) >= 60) colored += 1;
      }
      return colored;
    });
}
