// Every view in both colour schemes, wide and on a phone: by the rules for accessible pages, and as pictures if
// CONSOLE_PICTURES names a folder for them.
import assert from "node:assert/strict";
import { api, ask, assertUntroubled, nodes, openConsole, step, violations, withBrowser } from "./browser.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };
const WIDE = { viewport: { width: 1280, height: 800 } };
/** What no view may have: told all at once, at the end. */
const wrong = [];
/** The pictures that documents show: these are kept. */
const SHOWN = [
  "cluster",
  "cluster-phone",
  "edit-dark",
  "failed-dark",
  "keys",
  "keys-phone-dark",
  "rates-dark",
  "silent",
];
const pictures = process.env.CONSOLE_PICTURES;

const PROFILE = '{"name":"Ada Lovelace","email":"ada@example.com","age":36,"tags":["admin","beta"],"limits":{"disk":1.5e9,"trial":false,"until":null}}';

async function fill() {
  const keys = {
    "users/ada/profile": PROFILE,
    "users/ada/settings": '{"theme":"dark"}',
    "users/grace/profile": '{"name":"Grace Hopper"}',
    "flags/new-checkout": "true",
    "config/limits": '{"rps":500}',
  };
  for (let i = 0; i < 12; i += 1) {
    keys[`devices/sensor-${String(i).padStart(2, "0")}/state`] = `{"celsius":${20 + i / 10}}`;
  }
  await Promise.all(Object.entries(keys).map(([key, value]) => api(1, "PUT", `/kv/${key}`, value)));
}

/** Reads and writes, so that there is something to plot. */
const work = {
  on: false,
  begin() {
    this.on = true;
    this.client(1);
    this.client(2);
  },
  async client(node) {
    for (let i = 0; this.on; i += 1) {
      await api(node, i % 4 === 0 ? "PUT" : "GET", "/kv/load/x", i % 4 === 0 ? `${i}` : undefined).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  },
};

/** The views in their order: what is done to be there, and what has to be seen before they are looked at. */
const VIEWS = [
  {
    name: "cluster",
    place: "#/",
    ready: async (page) => {
      await page.locator("h1.sentence").filter({ hasText: "All 3 members hold the same data." }).waitFor();
      await page.locator("td[data-name='Round trip']").filter({ hasText: /s$/ }).nth(1).waitFor();
    },
    leave: () => work.begin(),
  },
  { name: "tree", place: "#/keys/users/ada/", ready: (page) => page.getByRole("treeitem", { name: "profile" }).first().waitFor() },
  { name: "keys", place: "#/keys/users/ada/profile", ready: (page) => page.locator(".t-key").first().waitFor() },
  { name: "edit", place: "#/keys/users/ada/profile", ready: beginConflict, leave: (page) => page.getByRole("button", { name: "Keep the stored one" }).click() },
  { name: "new", place: "#/keys/?new", ready: (page) => page.getByLabel("Path of the new key").fill("users/alan") },
  { name: "conflicts", place: "#/conflicts", ready: (page) => page.getByRole("link", { name: "conflict/" }).first().waitFor() },
  { name: "rates", place: "#/rates", ready: (page) => page.locator("path.line.s0[d*=L]").nth(2).waitFor({ state: "attached" }) },
];

async function beginConflict(page) {
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Value, as JSON").fill(PROFILE.replace('"age":36', '"age":37'));
  await api(1, "PUT", "/kv/users/ada/profile", PROFILE.replace("beta", "staff"));
  await page.getByRole("button", { name: "Compare" }).click();
  await page.locator("td.theirs").first().waitFor();
}

/** In both colour schemes. */
async function look(page, name) {
  for (const [colorScheme, suffix] of [["dark", "-dark"], ["light", ""]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    if (pictures && SHOWN.includes(`${name}${suffix}`)) {
      await page.screenshot({ path: `${pictures}/console-${name}${suffix}.png` });
    }
    wrong.push(...(await violations(page)).map((violation) => `${name}${suffix}: ${violation}`));
  }
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (overflow > 0) {
    wrong.push(`${name} is ${overflow} px wider than the window`);
  }
  assertUntroubled(page);
}

async function lookAtAll(page, suffix) {
  await page.locator(".here .state").filter({ hasText: "serving" }).waitFor();
  for (const { name, place, ready, leave } of VIEWS) {
    await step(`${name}${suffix}`, async () => {
      await page.evaluate((hash) => {
        location.hash = hash;
      }, place);
      await ready(page);
      await look(page, `${name}${suffix}`);
      await leave?.(page);
    });
  }
}

async function looks(browser) {
  await fill();
  const phone = await openConsole(browser, nodes[0], PHONE);
  await lookAtAll(phone, "-phone");
  await phone.context().close();
  work.on = false;
  const page = await openConsole(browser, nodes[0], WIDE);
  await lookAtAll(page, "");
  work.on = false;
  await lookAtTrouble(page);
}

/** One member gone, then the node itself. */
async function lookAtTrouble(page) {
  await page.evaluate(() => {
    location.hash = "#/";
  });
  await ask("kill", 3);
  await api(1, "PUT", "/kv/users/ada/profile", PROFILE);
  await step("a member that failed", async () => {
    await page.getByRole("img", { name: /node3: failed/ }).waitFor();
    await look(page, "failed");
  });
  await ask("kill", 1);
  await step("a node that is silent", async () => {
    await page.getByRole("alert").waitFor();
    await look(page, "silent");
  });
  await ask("start", 1);
  await ask("start", 3);
  assert.deepEqual(wrong, []);
}

await withBrowser(looks);
