// A browser for the visits: Debian's chromium, its pages under watch. Whatever a page says on its console, whatever
// it asks of others than the node that served it, and whatever it throws, fails the visit.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.env.KVS_MODULES);
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const nodes = JSON.parse(process.env.KVS_NODES);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Has the test do something to the nodes: ask("kill", 1). */
export async function ask(...words) {
  console.log("ask", ...words);
  const { done } = await lines.next();
  assert(!done, "the test is gone");
}

/** One named part of a visit. */
export async function step(name, part) {
  const began = Date.now();
  try {
    await part();
  } catch (error) {
    console.log(`FAILED ${name}`);
    throw error;
  }
  console.log(`ok ${name} (${Date.now() - began} ms)`);
}

/** Launches the browser for `visit`, and ends the process with it, whatever comes of it. */
export async function withBrowser(visit) {
  // root has no user namespaces to make a sandbox of; the pages are our own.
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
  let code = 0;
  try {
    await visit(browser);
  } catch (error) {
    console.log(error.stack);
    code = 1;
  }
  await browser.close();
  process.exit(code);
}

/** A page of a node's console. `troubles` collects what must not be; see settled(). */
export async function openConsole(browser, address, options = {}) {
  const { place = "#/", ...context } = options;
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...context });
  page.setDefaultTimeout(60_000);
  page.troubles = [];
  page.on("pageerror", (error) => page.troubles.push(`threw ${error.stack}`));
  page.on("console", (message) => {
    // Chromium itself tells of answers that are errors and of connections that fail; the console shows them.
    if (!/^Failed to load resource/.test(message.text())) {
      page.troubles.push(`said ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    if (new URL(request.url()).host !== address && !request.url().startsWith("data:")) {
      page.troubles.push(`asked ${request.url()}`);
    }
  });
  await page.goto(`http://${address}/ui/${place}`);
  return page;
}

/** Nothing happened on this page that must not. */
export function assertUntroubled(page) {
  assert.deepEqual(page.troubles, []);
}

/** The violations of the rules for accessible pages (WCAG 2.2 AA and good practice), as text. */
export async function violations(page) {
  await page.evaluate(axeSource);
  const { violations: found } = await page.evaluate(() => window.axe.run(document));
  return found.map((rule) => `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);
}

/** A request by the side of the browser, as another client makes it. */
export async function api(node, method, path, body, headers = {}) {
  const answer = await fetch(`http://${nodes[node - 1]}${path}`, { method, body, headers: { "Content-Type": "application/json", ...headers } });
  return { status: answer.status, text: await answer.text() };
}
