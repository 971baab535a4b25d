// The usage page against a running demo: what the server's own JSON says, and a project's shards and readers.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertAccessible, consoleUrl, launch, openPage, serverJson } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

describe("the usage page", () => {
  it("lists the projects and opens one with its shards", async () => {
    const { projects } = await serverJson("/api/admin/usage");
    const { page, errors, close } = await openPage(browser);
    await page.goto(consoleUrl("/usage"));
    const buttons = page.locator(".usage-project");
    await buttons.first().waitFor();
    const names = (await buttons.allTextContents()).map((name) => name.trim());
    assert.deepEqual(names.toSorted(), projects.map(({ project }) => project).toSorted());

    await page.getByRole("button", { name: "default" }).click();
    await page.locator(".usage-details table").first().waitFor();
    const own = (await serverJson("/api/admin/usage?project=default")).projects[0];
    const shards = await page.locator(".usage-details table").first().locator("tbody th[scope=row]").allTextContents();
    const known = own.shard_usage.map(({ store, shard }) => `${store} shard ${shard}`);
    assert.deepEqual(shards.toSorted(), known.toSorted());
    assert.ok(page.url().endsWith("/ui/usage?project=default"));
    await assertAccessible(page);
    assert.deepEqual(errors, []);
    await close();
  });
});
