// node screenshot.mjs URL OUT.png [--dark] [--full] [--size 1400x900] [--wait SELECTOR] [--click SELECTOR]…
// A picture of one page, taken once its selector is there and its requests have rested.
import { parseArgs } from "node:util";
import { launch, openPage } from "./browser.mjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    dark: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    size: { type: "string", default: "1400x900" },
    wait: { type: "string", default: "main" },
    click: { type: "string", multiple: true, default: [] },
  },
});
const [url, out] = positionals;
if (!url || !out) {
  console.error(
    "usage: node screenshot.mjs URL OUT.png [--dark] [--full] [--size 1400x900] [--wait SELECTOR] [--click SELECTOR]…",
  );
  process.exit(2);
}
const [width, height] = values.size.split("x").map(Number);

const browser = await launch();
try {
  const colorScheme = values.dark ? "dark" : "light";
  const { page, errors } = await openPage(browser, { viewport: { width, height }, colorScheme });
  await page.goto(url);
  await page.waitForSelector(values.wait);
  for (const selector of values.click) await page.click(selector);
  // Pages that poll never fall quiet for long; half a second without a request is quiet enough.
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: out, fullPage: values.full });
  for (const error of errors) console.error(error);
} finally {
  await browser.close();
}
