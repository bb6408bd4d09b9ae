"use strict";
// The data of the run, read once, and how its numbers are said.

const data = JSON.parse(document.getElementById("data").textContent);
const by_id = (id) => document.getElementById(id);
// A name for what SVG elements are, taken from one that the page has anyway.
const svg_space = by_id("logo").namespaceURI;
const end_s = Math.max(data.run.simulated_s || 0, 0.001);

// Text is only ever set as text: nothing that a scenario says can become part of the page.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function drawn(tag, attributes = {}, text = null) {
  const made = document.createElementNS(svg_space, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  return made;
}

function fixed(value, decimals) {
  if (!Number.isFinite(value)) return "–";
  const [whole, rest] = value.toFixed(decimals).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? "." + rest : "");
}

// About three digits that say something.
function rounded(value) {
  const size = Math.abs(value);
  if (size === 0 || size >= 99.95) return fixed(value, 0);
  return fixed(value, size < 0.0995 ? 3 : size < 9.995 ? 2 : 1);
}

function plural(count, one, many) {
  return fixed(count, 0) + " " + (count === 1 ? one : many);
}

// A time of the run: 0:07.4 in short ones, 1:02:03 in long ones.
function clock(seconds, tenths = false) {
  const all = Math.max(0, tenths ? Math.round(seconds * 10) / 10 : Math.round(seconds));
  const hours = Math.floor(all / 3600), minutes = Math.floor(all / 60) % 60;
  const rest = (all % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, "0");
  return (hours ? hours + ":" + String(minutes).padStart(2, "0") : minutes) + ":" + rest;
}

function name_of(node) {
  const identity = data.identities[node];
  return identity && identity[0] ? identity[0] : "node " + node;
}

// What is promised, in a line each, for readers who do not know the numbers by heart.
const promises = {
  I1: "A version never goes back at any node.", I2: "Nothing unsigned or uncertified is in any roster.",
  I3: "Nobody is Down without enough legal accusations.", I4: "A correct, reachable node is not Down for longer than its refutation takes.",
  I5: "After quiet, all hold equal sets and equal fingerprints.", I6: "A crashed node is Down everywhere in time.",
  I7: "The left, revoked and expired never return.", I8: "Every queue, table and packet is bounded.",
  I9: "The kernel equals the plan after reconciling, and reconciling again changes nothing.", I10: "Bytes stay under budget in any storm.",
  I11: "The same seed gives the same trace.", I12: "Liars cannot evict who refutes.",
  I13: "No allowed IP has two owners, and no packet loops.", I14: "Two live members with a physical path reach each other in time.",
};

// One time for the whole page: whoever shows something of it listens, whoever moves it sets it.
const now = {
  at: 0,
  listeners: [],
  set(at) {
    this.at = Math.min(Math.max(at || 0, 0), end_s);
    for (const listener of this.listeners) listener(this.at);
  },
};
