"use strict";
// How long locks were waited for and held.

/** As many classes are listed at first. */
const LISTED = 50;

function timesTable(times) {
  const columns = ["Lock", "Acquired", "Had to wait", "Longest wait", "Waits", "Longest hold", "Holds"];
  const body = make("tbody");
  const table = make(
    "table", {},
    make("thead", {}, make("tr", {}, columns.map((name) => make("th", { scope: "col" }, name)))), body,
  );
  const add = (from, to) => body.append(...times.slice(from, to).map(timesRow));
  add(0, LISTED);
  if (times.length <= LISTED) return [table];
  const more = make("button", { type: "button" }, `Show ${times.length - LISTED} more`);
  more.addEventListener("click", () => {
    add(LISTED, times.length);
    more.remove();
  });
  return [table, make("p", {}, more)];
}

function timesRow(lock) {
  const longest = (known) => (known ? `${duration(known.ns)} at ${known.site.file}:${known.site.line}` : "–");
  return make(
    "tr", {}, make("th", { scope: "row" }, make("code", {}, lock.lock)),
    make("td", {}, lock.acquisitions.toLocaleString("en")), make("td", {}, lock.contended.toLocaleString("en")),
    make("td", {}, longest(lock.longest_wait)), make("td", {}, histogram(lock.wait)),
    make("td", {}, longest(lock.longest_hold)), make("td", {}, histogram(lock.hold)),
  );
}

/** Bars by powers of two; what they say is said in words too. */
function histogram(counts) {
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) return "–";
  const shown = counts.slice(first);
  const most = Math.max(...shown);
  const [width, height] = [8, 36];
  const words = shown.flatMap((count, at) =>
    count > 0 ? [`${count} from ${duration(2 ** (first + at))} to ${duration(2 ** (first + at + 1))}`] : [],
  );
  return draw(
    "svg",
    { width: shown.length * width, height, role: "img", "aria-label": words.join("; ") },
    draw("title", {}, words.join("\n")),
    shown.map((count, at) => {
      const tall = count > 0 ? Math.max(2, (count / most) * height) : 0;
      return draw("rect", { class: "bar", x: at * width, y: height - tall, width: width - 1, height: tall });
    }),
  );
}

/** Nanoseconds in words. */
function duration(ns) {
  for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]]) {
    if (ns >= size) return `${Number((ns / size).toPrecision(3))} ${unit}`;
  }
  return `${ns} ns`;
}
