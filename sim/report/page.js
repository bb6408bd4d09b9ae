// The page itself: its words, its controls, and what moves.

const figures = data.figures;

function show_header() {
  const names = data.scenario.names.join(" + ") || "A network";
  by_id("title").textContent = names;
  document.title = names + ", wigwag-sim";
  by_id("summary").textContent = data.scenario.summary;
  const verdict = by_id("verdict"), broken = data.broken.length;
  verdict.classList.add(broken ? "broke" : data.run.interrupted ? "early" : "kept");
  verdict.textContent = broken ? "✗ " + plural(broken, "promise", "promises") + " broken" : data.run.interrupted ? "◐ interrupted, no promise broken until then" : "✓ all promises kept";
  const run = data.run;
  const facts = [
    ["nodes", fixed(run.nodes, 0)],
    ["simulated", clock(run.simulated_s) + (run.interrupted ? " of " + data.scenario.duration : "") + (run.wall_s > 0 ? ` in ${rounded(run.wall_s)} s` : "")],
    ["loss", +(data.scenario.loss_percent || 0).toPrecision(3) + " %"],
    ["churn", +(data.scenario.churn_percent_per_min || 0).toPrecision(3) + " % a minute"],
    ["seed", run.seed],
  ];
  by_id("facts").append(...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function show_broken() {
  const list = by_id("broken");
  by_id("broken-section").hidden = data.broken.length === 0;
  const most = 100;
  for (const broken of data.broken.slice(0, most)) {
    const jump = element("button", { type: "button", class: "link", title: "Take the picture there" }, clock(broken.at_s, true));
    jump.addEventListener("click", () => {
      selected = broken.node === null ? -1 : broken.node;
      now.set(broken.at_s);
      by_id("picture").scrollIntoView({ block: "start" });
    });
    const text = element("span", {}, element("b", {}, broken.invariant), " " + broken.text);
    const item = element("li", {}, element("div", {}, jump), text);
    if (promises[broken.invariant]) item.append(element("span", { class: "promise" }, "Promised: " + promises[broken.invariant]));
    list.append(item);
  }
  if (data.broken.length > most) list.append(element("li", {}, "", element("span", {}, `and ${fixed(data.broken.length - most, 0)} more`)));
}

function target_line(parts) {
  if (parts.length === 0) return "";
  const met = parts.every(([value, limit, at_least]) => (at_least ? value >= limit : value <= limit));
  const words = parts.map(([, limit, at_least, name]) => `${name ? name + " " : ""}${limit === 0 ? "none" : (at_least ? "≥ " : "≤ ") + (limit >= 1 ? fixed(limit, 0) : limit)}`).join(", ");
  return element("p", { class: "target " + (met ? "met" : "missed") }, (met ? "✓ " : "✗ ") + "target: " + words);
}

function card_of(card) {
  const figure = figures[card.key];
  const value = card.spread ? figure.p50 : card.unit === "%" ? figure * 100 : figure;
  const unit = card.spread ? card.unit + " median" : card.unit;
  const made = element("article", { class: "card" }, element("h3", {}, card.title), element("p", { class: "meaning" }, card.meaning),
    element("p", { class: "value" }, card.key === "false_downs" ? fixed(value, 0) : rounded(value), element("small", {}, unit)));
  if (card.spread) {
    const rest = [["p90", figure.p90], ["p99", figure.p99], ["max", figure.max]].map(([name, number]) => element("span", {}, `${name} ${rounded(number)}`));
    made.append(element("p", { class: "rest" }, ...rest, element("span", {}, `of ${fixed(figure.count, 0)} seen`)));
    made.append(target_line([[figure.p50, card.p50_most, false, "p50"], [figure.p99, card.p99_most, false, "p99"]].filter((part) => part[1] !== null)));
  } else {
    made.append(target_line(card.target === null ? [] : [[value, card.target, card.at_least, ""]]));
  }
  return made;
}

function show_cards() {
  const seen = (card) => (card.spread ? figures[card.key].count > 0 : figures[card.key] !== null);
  by_id("cards").append(...data.cards.filter(seen).map(card_of));
  const unseen = data.cards.filter((card) => !seen(card)).map((card) => card.title);
  by_id("unseen").textContent = unseen.length ? "Not observed in this run: " + unseen.join(", ") + "." : "";
}

function swatch(state) {
  const svg = drawn("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
  const shapes = { disc: "M8 2a6 6 0 1 0 .01 0z", ring: "M8 3a5 5 0 1 0 .01 0z", square: "M3 3h10v10h-10z", triangle: "M8 1.5l6.5 12h-13z", diamond: "M8 1l7 7l-7 7l-7 -7z" };
  const path = drawn("path", { d: shapes[state.shape] });
  path.style.fill = state.shape === "ring" ? "none" : `var(--${state.key})`;
  path.style.stroke = state.shape === "ring" ? `var(--${state.key})` : "none";
  path.style.strokeWidth = "2";
  svg.append(path);
  return svg;
}

const legend = shown_states.map((state) => {
  const count = element("b");
  const item = element("li", {}, swatch(state), element("span", {}, state.word), count);
  by_id("legend").append(item);
  return { state, item, count };
});

function words_of([, node, what, by]) {
  const name = name_of(node);
  switch (what) {
    case "suspected": return `${name} is suspected by ${fixed(by, 0)}`;
    case "down": return `${name} is Down at ${fixed(by, 0)}`;
    case "cleared": return `${name} is cleared`;
    case "cut": return `${name} is cut off`;
    case "mended": return `${name} is connected again`;
    case "hostile": return `${name} turns hostile`;
    default: return `${name} ${what}`;
  }
}

// The last moments, those of many nodes at once told as one line.
function show_news() {
  const lines = [];
  for (let index = current.next - 1; index >= 0 && lines.length < 9 && current.next - index < 20000; --index) {
    const moment = data.moments[index], last = lines[lines.length - 1];
    if (last && last.moment[2] === moment[2] && last.moment[0] - moment[0] < 1000) last.nodes.add(moment[1]);
    else lines.push({ moment, nodes: new Set([moment[1]]) });
  }
  by_id("news").replaceChildren(...lines.slice(0, 8).map(({ moment, nodes: named }) => element("li", {}, element("time", {}, clock(moment[0] / 1000, true)),
    element("span", {}, words_of(moment), named.size > 1 ? element("span", { class: "dim" }, ` and ${fixed(named.size - 1, 0)} more`) : ""))));
}

function show_tip() {
  const tip = by_id("tip");
  tip.hidden = selected < 0 || !layout;
  if (tip.hidden) return;
  const state = state_of(current, selected, others_of(current)), identity = data.identities[selected] || ["", "", ""];
  const doubts = [[current.suspected[selected], "suspected by"], [current.down[selected], "Down at"]].filter(([count]) => count > 0);
  const where = [identity[1], identity[2]].filter(Boolean).join(", ");
  tip.replaceChildren(element("b", {}, name_of(selected)), where ? ` (${where})` : "", element("br"), [state.word, ...doubts.map(([count, word]) => `${word} ${fixed(count, 0)}`)].join(", "));
  const box = canvas.getBoundingClientRect();
  const x = layout.x[selected] + box.width / 2, y = layout.y[selected] + box.height / 2;
  tip.style.left = `${Math.max(4, Math.min(x + 14, box.width - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(4, y + 14 + tip.offsetHeight > box.height ? y - 14 - tip.offsetHeight : y + 14)}px`;
}

// ---- time ----

const slider = by_id("time"), play = by_id("play"), speed = by_id("speed");
slider.max = end_s;
slider.step = Math.max(end_s / 2000, 0.01);
let playing = false, last_frame = 0;

now.listeners.push((at) => {
  slider.value = at;
  slider.setAttribute("aria-valuetext", clock(at));
  by_id("clock").textContent = clock(at, end_s < 600);
  const counts = draw_ring(at);
  for (const { state, item, count } of legend) {
    count.textContent = fixed(counts[state.key], 0);
    item.classList.toggle("none", counts[state.key] === 0);
  }
  show_news();
  show_tip();
});

function set_playing(wanted) {
  playing = wanted;
  play.setAttribute("aria-label", playing ? "Pause" : "Play");
  const icon = drawn("svg", { viewBox: "0 0 18 18", "aria-hidden": "true" });
  icon.append(drawn("path", { d: playing ? "M4 3h3.5v12H4zM10.5 3H14v12h-3.5z" : "M5 2.5l10.5 6.5L5 15.5z" }));
  play.replaceChildren(icon);
  if (!playing) return;
  if (now.at >= end_s) now.set(0);
  last_frame = performance.now();
  requestAnimationFrame(frame);
}

function frame(time) {
  if (!playing) return;
  now.set(now.at + (Math.min(time - last_frame, 250) / 1000) * Number(speed.value));
  last_frame = time;
  if (now.at >= end_s) set_playing(false);
  else requestAnimationFrame(frame);
}

// So that at first the whole run takes about half a minute.
function fill_speeds() {
  const speeds = [0.1, 0.5, 1, 2, 5, 10, 20, 60, 300, 1800, 7200];
  const first = speeds.find((candidate) => end_s / candidate <= 40) || speeds[speeds.length - 1];
  speed.append(...speeds.map((value) => element("option", value === first ? { value, selected: "" } : { value }, value + "×")));
}

// ---- hands ----

function nearest(event) {
  const box = canvas.getBoundingClientRect();
  const x = event.clientX - box.left - box.width / 2, y = event.clientY - box.top - box.height / 2;
  let best = -1, least = Math.max(layout.dot * 1.6, 9) ** 2;
  for (let node = 0; node < nodes; ++node) {
    const distance = (layout.x[node] - x) ** 2 + (layout.y[node] - y) ** 2;
    if (distance < least && current.flags[node] & flag.there) [best, least] = [node, distance];
  }
  return best;
}

function select(node) {
  if (node === selected) return;
  selected = node;
  draw_ring(now.at);
  show_tip();
}

function listen() {
  play.addEventListener("click", () => set_playing(!playing));
  slider.addEventListener("input", () => now.set(Number(slider.value)));
  canvas.addEventListener("pointermove", (event) => { if (layout) select(nearest(event)); });
  canvas.addEventListener("pointerdown", (event) => { if (layout) select(nearest(event)); });
  canvas.addEventListener("pointerleave", () => select(-1));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") select(-1);
    if (!step || nodes === 0) return;
    event.preventDefault();
    const place = order.indexOf(selected);
    select(order[(place < 0 ? (step > 0 ? 0 : nodes - 1) : place + step + nodes) % nodes]);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || /^(BUTTON|SELECT|SUMMARY)$/.test(event.target.tagName)) return;
    event.preventDefault();
    set_playing(!playing);
  });
  by_id("copy").addEventListener("click", copy_replay);
  window.addEventListener("resize", lay_out);
  window.addEventListener("beforeprint", lay_out);
  window.addEventListener("afterprint", lay_out);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", lay_out);
}

// Pages from a file may not reach the clipboard everywhere: then the text is at least selected.
async function copy_replay() {
  const button = by_id("copy");
  try {
    await navigator.clipboard.writeText(data.replay);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(by_id("replay"));
    button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function lay_out() {
  read_colours();
  resize_ring();
  draw_plots();
  now.set(now.at);
}

// A run that was interrupted at once has nothing to draw, and empty axes would only ask what is wrong.
function hide_what_is_empty() {
  by_id("picture").hidden = data.moments.length === 0;
  by_id("course").hidden = data.samples.length === 0;
  if (data.moments_cut && data.moments.length > 0) {
    const last = data.moments[data.moments.length - 1][0] / 1000;
    by_id("cut").hidden = false;
    by_id("cut").textContent = `More happened than a page can hold: the picture stands still after ${clock(last)}. The plots go on to the end.`;
  }
  by_id("again").hidden = data.replay === "";
  by_id("aim").hidden = by_id("cards").childElementCount === 0;
}

function show_list() {
  by_id("played-section").hidden = data.played.length === 0;
  by_id("played").append(...data.played.map((played) => element("tr", {}, element("td", {}, clock(played.at_s, true)), element("td", {}, clock(played.until_s, true)), element("td", {}, played.text))));
}

show_header();
show_broken();
show_cards();
show_list();
hide_what_is_empty();
by_id("replay").textContent = data.replay;
by_id("trace").textContent = data.trace_hash;
fill_speeds();
set_playing(false);
listen();
// A mesh at its end says little: the picture opens where something first goes wrong.
const opening = data.broken.length ? data.broken[0].at_s : data.played.length ? (data.played[0].at_s + Math.min(data.played[0].until_s, end_s)) / 2 : end_s;
lay_out();
now.set(opening);
