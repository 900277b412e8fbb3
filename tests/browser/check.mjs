// Opens pages of the HTML report in headless Chromium and uses them as a reader would.
//
//     node check.mjs DIRECTORY
//
// DIRECTORY has the pages that the test `pages` has written. Ends with 1 when something does not hold,
// and with pictures of what was seen beside the pages.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const directory = process.argv[2];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** The longest that a large report may take to open, in milliseconds. */
const OPENS = 1000;
let failed = 0;

function check(name, holds, detail = "") {
  if (!holds) failed += 1;
  console.log(`${holds ? "ok  " : "FAIL"} ${name}${detail === "" ? "" : `: ${detail}`}`);
}

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--allow-file-access-from-files"],
});

/** A page, with what it has complained of and asked the network for. */
async function open(name, scheme = "light", hash = "") {
  const page = await browser.newPage();
  page.complaints = [];
  page.on("console", (message) => {
    if (["error", "warning", "warn"].includes(message.type())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) page.complaints.push(`asked for ${request.url()}`);
  });
  await page.setViewport({ width: 1280, height: 1000 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(pathToFileURL(join(directory, `${name}.html`)).href + hash, { waitUntil: "load" });
  return page;
}

async function isAccessible(page, what) {
  // The page's own policy keeps scripts out that are not its own; the tool is put in beside it.
  const { violations } = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
  const told = violations.map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`);
  check(`${what}: axe finds nothing`, violations.length === 0, told.join("\n     "));
}

const count = (page, selector) => page.$$eval(selector, (all) => all.length);
const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
const picture = (page, name, options = {}) => page.screenshot({ path: join(directory, `${name}.png`), ...options });

// The first example: a cycle opens, its steps run, both colour schemes can be read.
for (const scheme of ["light", "dark"]) {
  const page = await open("abba", scheme);
  check(`${scheme}: one finding is listed`, (await count(page, "#list > li")) === 1);
  await page.click("#list summary");
  await page.waitForSelector("#list .body");
  check(`${scheme}: the cycle is pointed out`, (await count(page, "svg .lock.chosen")) === 2);
  check(`${scheme}: its orders too`, (await count(page, "svg .order.chosen")) === 2);
  const steps = await count(page, "#list .body tbody tr th[scope=row] ~ td");
  check(`${scheme}: the threads have steps`, steps >= 8, `${steps} cells`);
  await page.focus(".forward");
  await page.keyboard.press("Enter");
  check(`${scheme}: forward`, (await text(page, ".told")).startsWith("Step 1 of 4"));
  check(`${scheme}: the source is quoted`, (await count(page, ".source .hit")) === 1);
  await page.keyboard.press("ArrowRight");
  check(`${scheme}: forward by an arrow`, (await text(page, ".told")).startsWith("Step 2 of 4"));
  check(`${scheme}: what is held is said`, /has .*; .* has /.test(await text(page, ".told")), await text(page, ".told"));
  await page.keyboard.press("ArrowLeft");
  check(`${scheme}: back`, (await text(page, ".told")).startsWith("Step 1 of 4"));
  check(`${scheme}: one step is current`, (await count(page, "tr[aria-current=step]")) === 1);
  await isAccessible(page, scheme);
  await picture(page, `abba-${scheme}`, { fullPage: true });
  check(`${scheme}: no complaints`, page.complaints.length === 0, page.complaints.join("\n"));
  await page.close();
}

// Filters, on a page with what has a meaning in HTML in all of its names.
{
  const page = await open("awkward");
  check("names are text", (await count(page, "#list b")) === 0);
  const all = await count(page, "#list > li");
  await page.click("#filter-uncounted");
  check("what is not counted can be shown", (await count(page, "#list > li")) === all + 1);
  await page.click("#filter-uncounted");
  await page.select("#filter-rule", "stuck-wait");
  check("filter by rule", (await count(page, "#list > li")) === 1);
  await page.select("#filter-rule", "");
  await page.select("#filter-tier", "reachable");
  check("filter by tier", (await count(page, "#list > li")) === 1);
  await page.select("#filter-tier", "");
  await page.select("#filter-level", "deny");
  check("filter by level", (await count(page, "#list > li")) === 1);
  await page.select("#filter-level", "");
  await page.click("h1");
  await page.keyboard.press("/");
  await page.keyboard.type("no such thing");
  check("filter by text", (await count(page, "#list > li")) === 0);
  check("what fits is told", (await text(page, "#count")).includes("no finding fits"));
  for (const _ of "no such thing") await page.keyboard.press("Backspace");
  check("all are back", (await count(page, "#list > li")) === all);
  for (const summary of await page.$$("#list > li > details > summary")) await summary.evaluate((element) => element.click());
  await new Promise((done) => setTimeout(done, 100));
  await isAccessible(page, "awkward");
  check("awkward: no complaints", page.complaints.length === 0, page.complaints.join("\n"));
  await page.close();
}

// A finding by its id in the address.
{
  const page = await open("awkward", "light", "#lock-order-00000002");
  check("an address opens its finding", await page.$eval("#lock-order-00000002", (details) => details.open));
  await page.close();
}

// An empty report, and one with times.
{
  const page = await open("empty");
  check("nothing is said to be found", (await text(page, "#count")) === "Nothing was found.");
  await isAccessible(page, "empty");
  check("empty: no complaints", page.complaints.length === 0, page.complaints.join("\n"));
  await page.close();
}
{
  const page = await open("times");
  check("histograms are drawn", (await count(page, "#times svg .bar")) > 2);
  await isAccessible(page, "times");
  await (await page.$("#times")).screenshot({ path: join(directory, "times.png") });
  check("times: no complaints", page.complaints.length === 0, page.complaints.join("\n"));
  await page.close();
}

// 5,000 locks and 500 findings stay usable.
{
  const started = performance.now();
  const page = await open("large");
  const ready = await page.evaluate(() => {
    const [navigation] = performance.getEntriesByType("navigation");
    return navigation.loadEventEnd;
  });
  const took = performance.now() - started;
  check(`large: opens in ${OPENS} ms`, ready <= OPENS, `${Math.round(ready)} ms in the page, ${Math.round(took)} ms with the tab`);
  check("large: a page of findings is listed", (await count(page, "#list > li")) === 100);
  const boxes = await count(page, "svg .lock");
  check("large: the graph is collapsed", boxes > 1 && boxes <= 120, `${boxes} boxes`);
  await picture(page, "large", { fullPage: false });
  await (await page.$("#graph")).screenshot({ path: join(directory, "large-graph.png") });
  const before = performance.now();
  await page.select("#filter-package", "package-3");
  const filtered = performance.now() - before;
  check("large: filter by package", (await text(page, "#count")).includes(" of 500") && filtered < OPENS, `${await text(page, "#count")} in ${Math.round(filtered)} ms`);
  await page.evaluate(() => document.querySelector("svg .group").focus());
  await page.keyboard.press("Enter");
  await page.waitForSelector("#whole");
  check("large: a box opens by key", (await count(page, "svg .lock:not(.group)")) > 1);
  await page.click("#whole");
  check("large: back to the whole", (await count(page, "svg .lock")) === boxes);
  await page.click("#list summary");
  await page.waitForSelector("svg .lock.chosen");
  check("large: a cycle opens", (await count(page, "svg .lock.chosen")) === 2);
  await isAccessible(page, "large");
  check("large: no complaints", page.complaints.length === 0, page.complaints.join("\n"));
  await page.close();
}

// On paper all that is listed is open.
{
  const page = await open("abba");
  await page.emulateMediaType("print");
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  check("print: findings are open", (await count(page, "#list details[open] .body")) === 1);
  await page.pdf({ path: join(directory, "abba.pdf") });
  await page.close();
}

await browser.close();
console.log(failed === 0 ? "the pages hold" : `${failed} checks failed`);
process.exit(failed === 0 ? 0 : 1);
