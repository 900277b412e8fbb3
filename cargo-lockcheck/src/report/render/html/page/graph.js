"use strict";
// The order graph, drawn. A large one is collapsed: all locks of a package are one box, and so is each
// cycle of many locks; a box opens to what is in it. The cycle of a finding is drawn with its neighbours.

/** As many boxes are drawn at once. */
const DRAWN = 120;

/** Locks of cycles are drawn one by one where they are no more than this. */
const ALONE = 40;

/** Cycles have boxes of their own where they are no more than this. */
const CYCLES = 24;

class OrderGraph {
  constructor(report) {
    this.locks = report.graph.locks;
    this.orders = report.graph.orders;
    this.outside = "the rest of the program";
    this.beside = this.locks.map(() => []);
    for (const order of this.orders) {
      this.beside[order.from].push(order.to);
      this.beside[order.to].push(order.from);
    }
    this.packages = new Map();
    this.cycles = new Map();
    this.locks.forEach((lock, at) => {
      push(this.packages, lock.package ?? this.outside, at);
      if (lock.cycle !== undefined) push(this.cycles, lock.cycle, at);
    });
    this.inCycles = [...this.cycles.values()].reduce((sum, locks) => sum + locks.length, 0);
  }

  /** Everything, collapsed as far as it must be. */
  overview() {
    if (this.locks.length <= ALONE) return this.alone(this.locks.map((_, at) => at));
    const cyclesAlone = this.inCycles <= ALONE;
    const boxes = this.locks.map((lock, at) => {
      if (lock.cycle === undefined || this.cycles.size > CYCLES) return `package ${lock.package ?? this.outside}`;
      return cyclesAlone ? `lock ${at}` : `cycle ${lock.cycle}`;
    });
    return this.collapsed(boxes);
  }

  /** What is in one package, with the packages around it as boxes. */
  ofPackage(name) {
    return this.opened((this.packages.get(name) ?? []).slice());
  }

  ofCycle(number) {
    return this.opened((this.cycles.get(number) ?? []).slice());
  }

  /** These locks, and those that are taken together with them. */
  around(chosen) {
    const shown = new Set(chosen);
    for (const lock of chosen) {
      for (const other of this.beside[lock]) if (shown.size < ALONE) shown.add(other);
    }
    return this.alone([...shown]);
  }

  /** The first of these locks: those of cycles, then those with the most orders. */
  opened(locks) {
    const rank = (lock) => (this.locks[lock].cycle === undefined ? 0 : 1e6) + this.beside[lock].length;
    locks.sort((a, b) => rank(b) - rank(a));
    const view = this.alone(locks.slice(0, DRAWN));
    view.left = Math.max(0, locks.length - DRAWN);
    return view;
  }

  alone(locks) {
    const boxes = this.locks.map(() => null);
    for (const lock of locks) boxes[lock] = `lock ${lock}`;
    return this.collapsed(boxes);
  }

  /** The graph of boxes; `boxes` names for each lock the one that it is in. */
  collapsed(boxes) {
    const nodes = new Map();
    boxes.forEach((box, at) => {
      if (box !== null) push(nodes, box, at);
    });
    const links = new Map();
    for (const order of this.orders) {
      const [from, to] = [boxes[order.from], boxes[order.to]];
      if (from === null || to === null || (from === to && !from.startsWith("lock "))) continue;
      push(links, `${from} -> ${to}`, order);
    }
    const kept = [...nodes].sort(([a], [b]) => weight(a) - weight(b)).slice(0, DRAWN);
    const left = nodes.size - kept.length;
    const names = new Set(kept.map(([name]) => name));
    const drawn = [...links.values()].filter(
      ([order]) => names.has(boxes[order.from]) && names.has(boxes[order.to]),
    );
    return { nodes: new Map(kept), links: drawn, boxes, left };
  }
}

/** Cycles come first. */
function weight(box) {
  return box.startsWith("lock ") ? 0 : box.startsWith("cycle ") ? 1 : 2;
}

function push(map, key, value) {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

/** What is written into a box: a name, and what it is. */
function caption(graph, box, locks) {
  if (box.startsWith("lock ")) {
    const lock = graph.locks[locks[0]];
    return [lock.name, lock.kind ?? ""];
  }
  const inside = plural(locks.length, "lock", "locks");
  if (box.startsWith("package ")) return [box.slice("package ".length), inside];
  return [`${graph.locks[locks[0]].name}, …`, `a cycle of ${inside}`];
}

/** Draws a view; `chosen` are locks to point out, and `open` is called with a box that is opened. */
function drawing(graph, view, chosen, open) {
  const layout = new dagre.graphlib.Graph();
  layout.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 44, marginx: 12, marginy: 12 });
  layout.setDefaultEdgeLabel(() => ({}));
  const shorten = (text) => (text.length > 34 ? `${text.slice(0, 33)}…` : text);
  for (const [box, locks] of view.nodes) {
    const [name, kind] = caption(graph, box, locks);
    const width = Math.max(shorten(name).length * 7.8, kind.length * 6.6) + 24;
    layout.setNode(box, { width, height: kind ? 44 : 30 });
  }
  for (const [order] of view.links) {
    const [from, to] = [view.boxes[order.from], view.boxes[order.to]];
    if (from !== to) layout.setEdge(from, to);
  }
  dagre.layout(layout);
  const { width, height } = layout.graph();
  const isChosen = new Set(chosen);
  const svg = draw("svg", {
    width: Math.ceil(width), height: Math.ceil(height), viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
    role: "group", "aria-label": `${plural(view.nodes.size, "box", "boxes")}, ${plural(view.links.length, "order", "orders")}`,
  });
  const marker = (id, style) => draw(
    "marker",
    { id, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" },
    draw("path", { d: "M0 0 L10 5 L0 10 z", class: style }),
  );
  svg.append(draw("defs", {}, marker("tip", "tip"), marker("tip-cycle", "tip cycle")));
  for (const orders of view.links) svg.append(link(graph, view, layout, orders, isChosen));
  for (const [box, locks] of view.nodes) {
    svg.append(node(graph, layout.node(box), box, locks, isChosen, shorten, open));
  }
  return svg;
}

function link(graph, view, layout, orders, isChosen) {
  const [from, to] = [view.boxes[orders[0].from], view.boxes[orders[0].to]];
  const inCycle = orders.some((order) => order.cycle);
  const chosen = orders.some((order) => isChosen.has(order.from) && isChosen.has(order.to));
  let points = from === to ? null : layout.edge(from, to).points;
  if (!points) {
    // A lock that is nested in its own kind.
    const { x, y, width } = layout.node(from);
    const right = x + width / 2;
    points = [{ x: right, y: y - 8 }, { x: right + 22, y: y - 12 }, { x: right + 22, y: y + 12 }, { x: right, y: y + 8 }];
  }
  const path = points.map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join(" ");
  const told = orders.slice(0, 5).map((order) => said(graph, order)).join("\n");
  return draw(
    "path",
    {
      d: path, class: `order${inCycle ? " cycle" : ""}${chosen ? " chosen" : ""}`,
      "marker-end": inCycle ? "url(#tip-cycle)" : "url(#tip)",
    },
    draw("title", {}, orders.length > 5 ? `${told}\nand ${orders.length - 5} more` : told),
  );
}

function node(graph, place, box, locks, isChosen, shorten, open) {
  const { x, y, width, height } = place;
  const [name, kind] = caption(graph, box, locks);
  const isGroup = !box.startsWith("lock ");
  const styles = [
    "lock", isGroup ? "group" : "",
    locks.some((lock) => graph.locks[lock].cycle !== undefined) ? "cycle" : "",
    !isGroup && isChosen.has(locks[0]) ? "chosen" : "",
  ];
  const created = isGroup ? "" : `, created at ${graph.locks[locks[0]].created ?? "a place that is not known"}`;
  const attributes = { class: styles.filter(Boolean).join(" ") };
  if (isGroup) {
    Object.assign(attributes, {
      tabindex: "0", role: "button", "aria-label": `${name} ${kind}: open`,
      click: () => open(box),
      keydown: (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          open(box);
        }
      },
    });
  }
  return draw(
    "g", attributes,
    isGroup ? null : draw("title", {}, `${name}${kind ? ` (${kind})` : ""}${created}`),
    draw("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 6 }),
    draw("text", { x, y: kind ? y - 2 : y + 5, "text-anchor": "middle" }, shorten(name)),
    " ",
    kind ? draw("text", { x, y: y + 14, "text-anchor": "middle", class: "kind" }, kind) : null,
  );
}

/** An order as a sentence. */
function said(graph, order) {
  const ways = order.ways > 1 ? `, and in ${plural(order.ways - 1, "other way", "other ways")}` : "";
  return `${graph.locks[order.from].name} (${order.held}), then ${graph.locks[order.to].name} (${order.asked})${ways}`;
}
