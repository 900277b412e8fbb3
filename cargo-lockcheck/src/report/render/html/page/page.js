"use strict";
// The page: what is filtered, listed and drawn.

/** As many findings are listed at once. */
const AT_ONCE = 100;

(() => {
  const report = JSON.parse(document.getElementById("report").textContent);
  const byId = (id) => document.getElementById(id);
  byId("summary").textContent = report.summary;
  byId("tool").textContent = `Made by ${report.tool.name} ${report.tool.version}. Graphs are laid out by dagre (MIT).`;

  const graph = new OrderGraph(report);

  // Findings and their filters.
  const chosen = { text: "", rule: "", tier: "", level: "", package: "", test: "", uncounted: false };
  const texts = new Map(report.findings.map((finding) => [finding, searchable(finding)]));
  const counted = report.findings.filter((finding) => finding.uncounted === undefined);
  let listed = AT_ONCE;
  filters();
  list();

  function filters() {
    const form = byId("filters");
    form.addEventListener("submit", (event) => event.preventDefault());
    const changed = () => {
      listed = AT_ONCE;
      list();
    };
    const search = make("input", { type: "search", id: "filter-text", placeholder: "lock, thread, file, …", input: () => {
      chosen.text = search.value.trim().toLowerCase();
      changed();
    } });
    form.append(make("label", {}, "Text", search));
    const field = (key, name, values) => {
      const distinct = [...new Set(report.findings.flatMap(values).filter(Boolean))].sort();
      if (distinct.length < 2 && key !== "rule") return;
      const select = make("select", { id: `filter-${key}`, change: () => {
        chosen[key] = select.value;
        changed();
      } }, make("option", { value: "" }, "all"), distinct.map((value) => make("option", { value }, value)));
      form.append(make("label", {}, name, select));
    };
    field("rule", "Rule", (finding) => [finding.rule]);
    field("tier", "Tier", (finding) => [finding.tier]);
    field("level", "Level", (finding) => (finding.uncounted === undefined ? [finding.level] : []));
    field("package", "Package", (finding) => [finding.package]);
    field("test", "Test", (finding) => finding.tests ?? []);
    if (counted.length < report.findings.length) {
      const others = report.findings.length - counted.length;
      const box = make("input", { type: "checkbox", id: "filter-uncounted", change: () => {
        chosen.uncounted = box.checked;
        changed();
      } });
      form.append(make("label", { class: "check" }, box, `also ${others} not counted`));
    }
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        search.focus();
      }
    });
  }

  function searchable(finding) {
    const parts = [finding.id, finding.rule, finding.tier, finding.message, finding.package, finding.uncounted, finding.place];
    parts.push(...(finding.tests ?? []), ...finding.locks.map((lock) => `${lock.name} ${lock.kind} ${lock.type ?? ""}`));
    for (const edge of finding.edges) parts.push(edge.thread, edge.process, edge.function, edge.from_site.file, edge.to_site.file, ...edge.stack);
    for (const wait of finding.waits ?? []) parts.push(wait.thread, wait.function, wait.site.file, ...wait.stack);
    for (const site of finding.sites) parts.push(site.file, site.label);
    return parts.filter(Boolean).join("\n").toLowerCase();
  }

  function fits(finding) {
    const isUncounted = finding.uncounted !== undefined;
    return (chosen.uncounted || !isUncounted)
      && (!chosen.rule || finding.rule === chosen.rule)
      && (!chosen.tier || finding.tier === chosen.tier)
      && (!chosen.level || (!isUncounted && finding.level === chosen.level))
      && (!chosen.package || finding.package === chosen.package)
      && (!chosen.test || (finding.tests ?? []).includes(chosen.test))
      && (!chosen.text || texts.get(finding).includes(chosen.text));
  }

  function list() {
    const fitting = report.findings.filter(fits);
    const shown = fitting.slice(0, listed);
    byId("list").replaceChildren(...shown.map((finding) => findingItem(report, graph, finding)));
    const all = chosen.uncounted ? report.findings.length : counted.length;
    byId("count").textContent = all === 0
      ? "Nothing was found."
      : `${plural(fitting.length, "finding", "findings")}${fitting.length < all ? ` of ${all}` : ""}${fitting.length === 0 ? ": no finding fits all filters." : ""}`;
    const more = byId("more");
    more.hidden = fitting.length <= listed;
    more.textContent = `Show ${Math.min(AT_ONCE, fitting.length - listed)} more`;
  }
  byId("more").addEventListener("click", () => {
    listed += AT_ONCE;
    list();
  });

  // The order graph.
  if (graph.orders.length === 0) byId("graph").hidden = true;
  else overview();

  function overview() {
    const cycles = graph.cycles.size > 0 ? `; ${plural(graph.cycles.size, "cycle", "cycles")}, in red` : "; no cycle";
    show(graph.overview(), `${plural(graph.locks.length, "lock", "locks")} and ${plural(graph.orders.length, "order", "orders")} in which they were taken${cycles}.`, false);
  }

  function open(box) {
    const isPackage = box.startsWith("package ");
    const name = isPackage ? box.slice("package ".length) : Number(box.slice("cycle ".length));
    const lead = isPackage ? `The locks of ${name}.` : "The locks of one cycle.";
    show(isPackage ? graph.ofPackage(name) : graph.ofCycle(name), lead, true);
    byId("drawing").focus();
  }

  function show(view, lead, isPart) {
    const left = view.left > 0 ? ` ${plural(view.left, "box is", "boxes are")} not drawn, for want of room.` : "";
    byId("graph-lead").textContent = lead + left;
    byId("drawing").replaceChildren(drawing(graph, view, [], open));
    const orders = view.links.flat().slice(0, 500);
    const listing = byId("graph-list").querySelector("div");
    listing.replaceChildren(make("ul", {}, orders.map((order) => make("li", {}, said(graph, order)))));
    byId("graph-tools").replaceChildren(...(isPart ? [make("button", { type: "button", id: "whole", click: overview }, "Show the whole graph")] : []));
  }

  // Times and notes.
  if (report.times.length > 0) {
    byId("times").hidden = false;
    byId("times").querySelector("div").append(...timesTable(report.times));
  }
  const notes = [...report.warnings.map((text) => `Warning: ${text}`), ...report.notes];
  for (const process of report.standstills) notes.push(`${process.program} did not end by itself: ${process.threads.map(standing).join("; ")}`);
  if (notes.length > 0) {
    byId("notes").hidden = false;
    byId("notes").querySelector("ul").append(...notes.map((text) => make("li", {}, sentence(text))));
  }
  function standing({ thread, wait, held }) {
    const has = held.length > 0 ? ` with ${held.map((hold) => `\`${hold.lock}\``).join(", ")}` : "";
    if (!wait) return `\`${thread}\` ran${has}`;
    return `\`${thread}\` waited for ${wait.name ? `\`${wait.name}\`` : `${wait.for === "time" ? "a" : "its"} ${wait.for}`} at ${wait.site.file}:${wait.site.line}${has}`;
  }

  // A finding by its id in the address, and all of them on paper.
  function toAddress() {
    const id = decodeURIComponent(location.hash.slice(1));
    const at = report.findings.findIndex((finding) => finding.id === id);
    if (at < 0) return;
    if (!document.getElementById(id)) {
      listed = Math.max(listed, at + 1);
      chosen.uncounted ||= report.findings[at].uncounted !== undefined;
      list();
    }
    const details = document.getElementById(id);
    if (details) {
      details.open = true;
      details.scrollIntoView();
    }
  }
  window.addEventListener("hashchange", toAddress);
  toAddress();
  window.addEventListener("beforeprint", () => {
    for (const details of byId("list").querySelectorAll(":scope > li > details")) {
      complete(report, graph, report.findings.find((finding) => finding.id === details.id), details);
      details.open = true;
    }
  });
})();
