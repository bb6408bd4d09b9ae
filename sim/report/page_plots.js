// The plots over time, and that of how long things took.

const plots = [
  { title: "Reachability and views", unit: "%", most: 100, lines: [
    { name: "random pairs that reach each other", of: (sample) => sample.reachable * 100 },
    { name: "nodes that hold the most common view", of: (sample) => sample.agreeing * 100 },
    { name: "nodes whose view is true", of: (sample) => sample.true_views * 100 }] },
  { title: "Nodes", unit: "", whole: true, lines: [
    { name: "running", of: (sample) => sample.running },
    { name: "members", of: (sample) => sample.joined }] },
  { title: "Sent per node", unit: "B/s", lines: [{ name: "with all headers", of: (sample) => sample.bytes_per_node_s }] },
  { title: "WireGuard handshakes per node", unit: "/min", lines: [{ name: "completed", of: (sample) => sample.handshakes_per_node_min }] },
  { title: "Doubts", unit: "pairs", whole: true, lines: [
    { name: "one suspects another", of: (sample) => sample.suspects },
    { name: "one holds another Down", of: (sample) => sample.downs },
    { name: "Down, though it runs and can be reached", of: (sample) => sample.false_downs }] },
];
const dashes = ["", "7 4", "2 3"];

// The last sample at or before a time.
function sample_at(at) {
  let low = 0, high = data.samples.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (data.samples[middle].at_s <= at) low = middle;
    else high = middle - 1;
  }
  return data.samples[low];
}

function path_of(line, most, width, bottom) {
  let path = "", open = false;
  for (const sample of data.samples) {
    const value = line.of(sample);
    if (!Number.isFinite(value)) { open = false; continue; }
    const y = bottom - (Math.min(value, most) / most) * (bottom - 8);
    path += (open ? "L" : "M") + x_of(sample.at_s, width).toFixed(1) + " " + y.toFixed(1);
    open = true;
  }
  return path;
}

function draw_plot(holder, plot, width) {
  const bottom = 128;
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${bottom + 20}`, role: "img", "aria-label": plot.title + " over time" });
  const observed = data.samples.reduce((most, sample) => Math.max(most, ...plot.lines.map((line) => line.of(sample) || 0)), 0);
  const ticks = plot.most ? [0, 25, 50, 75, 100] : value_ticks(observed);
  const most = ticks[ticks.length - 1];
  draw_shades(svg, width, bottom);
  draw_time_axis(svg, width, bottom, true);
  for (const tick of ticks) {
    const y = bottom - (tick / most) * (bottom - 8);
    svg.append(drawn("line", { class: "grid", x1: left_margin, x2: width - right_margin, y1: y, y2: y }));
    svg.append(drawn("text", { x: left_margin - 6, y: y + 4, "text-anchor": "end" }, short(tick)));
  }
  const head = element("div", { class: "head" }, element("h3", {}, plot.title + (plot.unit ? ", " + plot.unit : "")));
  const values = plot.lines.map((line, index) => {
    const path = drawn("path", { class: "line", d: path_of(line, most, width, bottom), "stroke-dasharray": dashes[index] });
    path.style.stroke = `var(--line-${index + 1})`;
    svg.append(path);
    const mark = element("i", { class: ["", "dash", "dots"][index] });
    mark.style.color = `var(--line-${index + 1})`;
    const value = element("b");
    head.append(element("span", { class: "key" }, mark, line.name + " ", value));
    return value;
  });
  const cursor = with_cursor(svg, width, bottom);
  const show = (at) => {
    cursor(at);
    const sample = sample_at(at);
    plot.lines.forEach((line, index) => { values[index].textContent = sample ? (plot.whole ? fixed(line.of(sample), 0) : rounded(line.of(sample))) : ""; });
  };
  show(now.at);
  holder.replaceChildren(head, svg);
  return show;
}

// Every spread of times on one scale, so that they can be compared.
function draw_spreads(width) {
  const shown = data.cards.filter((card) => card.unit === "s" && card.spread && data.figures[card.key].count > 0);
  by_id("spread-section").hidden = shown.length === 0;
  if (shown.length === 0) return;
  const narrow = width < 560;
  const from = narrow ? 92 : 290, row = 30, bottom = 6 + shown.length * row;
  const all = shown.flatMap((card) => [data.figures[card.key].p50, data.figures[card.key].max, card.p50_most, card.p99_most]).filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.max(Math.min(...all, 1), 0.001))), high = Math.max(Math.ceil(Math.log10(Math.max(...all, 1))), low + 1);
  const x = (value) => from + ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (width - from - 16);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${bottom + 20}`, role: "img", "aria-label": "Spread of times" });
  for (let power = low; power <= high; ++power) {
    svg.append(drawn("line", { class: "grid", x1: x(10 ** power), x2: x(10 ** power), y1: 2, y2: bottom }));
    svg.append(drawn("text", { x: x(10 ** power), y: bottom + 14, "text-anchor": power === high ? "end" : "middle" }, String(+(10 ** power).toPrecision(1)) + " s"));
  }
  shown.forEach((card, index) => {
    const figure = data.figures[card.key], y = 6 + index * row + row / 2;
    svg.append(drawn("text", { class: "on", x: 0, y: y + 4 }, card.title));
    if (!narrow) svg.append(drawn("text", { x: 88, y: y + 4 }, card.meaning));
    for (const [until, height, opacity] of [[figure.max, 4, 0.35], [figure.p99, 8, 0.45], [figure.p90, 12, 0.6]]) {
      const bar = drawn("rect", { x: x(figure.p50), y: y - height / 2, width: Math.max(x(until) - x(figure.p50), 1), height, rx: 2, opacity });
      bar.style.fill = "var(--accent)";
      svg.append(bar);
    }
    const dot = drawn("circle", { cx: x(figure.p50), cy: y, r: 6 });
    dot.style.fill = "var(--accent)";
    dot.append(drawn("title", {}, `p50 ${rounded(figure.p50)} s, p90 ${rounded(figure.p90)} s, p99 ${rounded(figure.p99)} s, max ${rounded(figure.max)} s`));
    svg.append(dot);
    for (const [limit, which] of [[card.p50_most, "p50"], [card.p99_most, "p99"]]) {
      if (limit === null) continue;
      const goal = drawn("path", { d: `M${x(limit)} ${y - 12}l4 5l-4 5l-4 -5z` });
      goal.style.fill = "var(--text)";
      goal.append(drawn("title", {}, `target: ${which} at most ${limit} s`));
      svg.append(goal);
    }
  });
  by_id("spreads").replaceChildren(svg);
}

const plot_holders = plots.map(() => element("figure", { class: "plot" }));
let showing = [];

function draw_plots() {
  by_id("plots").replaceChildren(...plot_holders);
  const inner = (holder) => Math.max(280, Math.floor(holder.clientWidth - 24));
  showing = [draw_faults(inner(by_id("cards")))];
  plots.forEach((plot, index) => showing.push(draw_plot(plot_holders[index], plot, inner(plot_holders[index]))));
  draw_spreads(inner(by_id("cards")));
}
now.listeners.push((at) => { for (const show of showing) show(at); });
