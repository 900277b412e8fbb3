"use strict";
// Elements of the page. Text of the report becomes text nodes alone, never HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; a child that is a string is text. */
function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** An element of a drawing. */
function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A sentence in which backticks are around code. */
function sentence(text) {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [text];
  return parts.map((part, at) => (at % 2 === 1 ? make("code", {}, part) : part));
}

/** The lines around a place, if they are known. */
function excerpt(report, place) {
  const known = report.sources[place];
  if (!known) return null;
  const line = Number(place.slice(place.lastIndexOf(":") + 1));
  const lines = known.lines.map((text, at) => {
    const number = known.first + at;
    const hit = number === line;
    return make(
      "span",
      hit ? { class: "hit" } : {},
      make("span", { class: "number" }, String(number).padStart(5)),
      text + "\n",
    );
  });
  return make("pre", { class: "source", tabindex: "0", role: "group", "aria-label": `Source at ${place}` }, lines);
}

function plural(count, one, many) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
