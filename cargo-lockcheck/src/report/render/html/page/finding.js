"use strict";
// One finding: its line in the list, and what it opens to, which is made when it is opened.

const LEVELS = { deny: "error", warn: "warning", allow: "allowed" };

/** The line of a finding, and the means to open it. */
function findingItem(report, graph, finding) {
  const style = finding.uncounted === undefined ? finding.level : "allow";
  const word = finding.uncounted === undefined ? LEVELS[finding.level] : "not counted";
  const details = make(
    "details", { id: finding.id },
    make(
      "summary", {},
      make("span", { class: "mark" }, `${word}[${finding.rule}]`), " ",
      sentence(finding.message), " ",
      finding.place ? make("span", { class: "place" }, finding.place) : null,
    ),
  );
  details.addEventListener("toggle", () => {
    if (details.open) complete(report, graph, finding, details);
  });
  return make("li", { class: style }, details);
}

/** Makes the inside of a finding, once. */
function complete(report, graph, finding, details) {
  if (details.querySelector(".body")) return;
  const body = make("div", { class: "body" });
  body.append(...evidence(report, finding));
  if (finding.schedule) body.append(...schedule(report, finding));
  body.append(...cycle(graph, finding), ...sites(report, finding));
  if (finding.uncounted === undefined) {
    body.append(heading("What to do"), make("ul", {}, finding.advice.map((text) => make("li", {}, sentence(text)))));
  }
  const rule = report.rules[finding.rule];
  const about = make("div");
  // The explanation is a part of the program that made the page; nothing of the report is in it.
  about.innerHTML = rule.html;
  for (const code of about.querySelectorAll("pre")) code.tabIndex = 0;
  body.append(make(
    "details", {}, make("summary", {}, `About ${finding.rule}`),
    make("p", {}, `${rule.summary}. Level ${rule.level}, found ${rule.found}.`), about,
  ));
  details.append(body);
}

function heading(text) {
  return make("h3", {}, text);
}

function evidence(report, finding) {
  const facts = [];
  const fact = (name, value) => facts.push(make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)));
  fact("Tier", [make("code", {}, finding.tier), ` ${report.tiers[finding.tier]}`]);
  if (finding.uncounted !== undefined) fact("Not counted", sentence(finding.uncounted));
  for (const note of finding.notes ?? []) fact("Evidence", sentence(note));
  if (finding.evidence) fact("Shown by", finding.evidence.map((what) => (what === "run" ? "a recorded run" : "the source")).join(" and "));
  if (finding.count > 1) fact("Seen", plural(finding.count, "time", "times"));
  if (finding.package) fact("Package", finding.package);
  if (finding.tests) fact("Tests", finding.tests.join(", "));
  fact("Locks", make("ul", {}, finding.locks.map((lock) => make(
    "li", {}, make("code", {}, lock.name), ` (${lock.kind}${lock.type ? ` of ${lock.type}` : ""})`,
    lock.created.file ? ` created at ${lock.created.file}:${lock.created.line}` : null,
  ))));
  fact("Id", make("code", {}, finding.id));
  return [heading("Evidence"), make("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Evidence" }, make("table", {}, make("tbody", {}, facts)))];
}

/** The threads in columns, and their steps, one at a time. */
function schedule(report, finding) {
  const { threads, steps } = finding.schedule;
  const happened = (finding.waits ?? []).length > 0;
  const rows = steps.map((step, at) => make(
    "tr", {}, make("th", { scope: "row" }, String(at + 1)),
    threads.map((_, column) => make("td", {}, column === step.thread ? sentence(step.text) : [])),
  ));
  const table = make(
    "table", {},
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Step"), threads.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, rows),
  );
  const told = make("p", { class: "told", role: "status" });
  const source = make("div");
  let current = -1;
  const back = make("button", { type: "button", class: "back", click: () => go(current - 1) }, "Back");
  const forward = make("button", { type: "button", class: "forward", click: () => go(current + 1) }, "Forward");
  function go(to) {
    current = Math.max(-1, Math.min(steps.length - 1, to));
    rows.forEach((row, at) => (at === current ? row.setAttribute("aria-current", "step") : row.removeAttribute("aria-current")));
    back.disabled = current < 0;
    forward.disabled = current === steps.length - 1;
    source.replaceChildren();
    if (current < 0) {
      told.replaceChildren(`${plural(steps.length, "step", "steps")}: go forward to see where each is.`);
      return;
    }
    const step = steps[current];
    told.replaceChildren(
      `Step ${current + 1} of ${steps.length}: ${threads[step.thread]} `, ...sentence(step.text),
      " at ", make("span", { class: "place" }, step.place), held(current),
    );
    const quoted = excerpt(report, step.place);
    if (quoted) source.append(quoted);
    if (step.stack.length > 0) {
      source.append(make("details", {}, make("summary", {}, `Stack of ${plural(step.stack.length, "frame", "frames")}`), make("pre", { tabindex: "0" }, step.stack.join("\n"))));
    }
  }
  /** Which locks all threads have after a step. */
  function held(at) {
    const has = threads.map((name, thread) => {
      const locks = steps.slice(0, at + 1).filter((step) => step.thread === thread && !step.waits && step.lock);
      return locks.length > 0 ? `${name} has ${locks.map((step) => step.lock).join(", ")}` : null;
    });
    const known = has.filter(Boolean);
    return known.length > 0 ? `. Now ${known.join("; ")}.` : ".";
  }
  go(-1);
  const tools = make("div", { class: "steps-tools", role: "group", "aria-label": "Steps" }, back, forward);
  tools.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") go(current + 1);
    if (event.key === "ArrowLeft") go(current - 1);
  });
  return [
    heading(happened ? "How it came about" : "How it can come about"),
    make("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Steps of the threads" }, table),
    tools, told, source,
  ];
}

/** The locks of the finding in the order graph, with those around them. */
function cycle(graph, finding) {
  const nodes = finding.nodes.filter((node) => node !== null);
  if (nodes.length === 0) return [];
  const view = graph.around(nodes);
  const others = view.nodes.size - new Set(nodes).size;
  const lead = others > 0 ? `Its locks, pointed out, and ${plural(others, "lock that was", "locks that were")} taken together with them.` : null;
  return [
    heading("In the order of locks"),
    lead ? make("p", {}, lead) : null,
    make("div", { class: "drawing", tabindex: "0", role: "group", "aria-label": "Drawing of the locks of this finding" }, drawing(graph, view, nodes, () => {})),
  ].filter(Boolean);
}

function sites(report, finding) {
  if (finding.sites.length === 0) return [];
  const shown = finding.sites.flatMap((site) => {
    const place = `${site.file}:${site.line}`;
    return [make("p", {}, make("span", { class: "place" }, place), ": ", sentence(site.label)), excerpt(report, place)];
  });
  return [heading("Places"), ...shown.filter(Boolean)];
}
