// Axes, scales and what all plots over time have in common.

const left_margin = 46, right_margin = 12;

function x_of(at, width) {
  return left_margin + (at / end_s) * (width - left_margin - right_margin);
}

function time_at(x, width) {
  return ((x - left_margin) / (width - left_margin - right_margin)) * end_s;
}

// Steps that people count time in.
function time_ticks(width) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800];
  const most = Math.max(2, Math.floor((width - left_margin) / 76));
  const step = steps.find((candidate) => end_s / candidate <= most) || end_s / most;
  const ticks = [];
  for (let tick = 0; tick <= end_s * 1.0001; tick += step) ticks.push(tick);
  return ticks;
}

// Round numbers from 0 to at least `most`.
function value_ticks(most) {
  const rough = (most > 0 ? most : 1) / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
  const ticks = [0];
  while (ticks[ticks.length - 1] < most * 0.999) ticks.push(ticks.length * step);
  return ticks.length > 1 ? ticks : [0, step];
}

function short(value) {
  if (value >= 1e9) return +(value / 1e9).toPrecision(3) + "G";
  if (value >= 1e6) return +(value / 1e6).toPrecision(3) + "M";
  if (value >= 1e4) return +(value / 1e3).toPrecision(3) + "k";
  return String(+value.toPrecision(4));
}

function draw_time_axis(svg, width, bottom, labels) {
  for (const tick of time_ticks(width)) {
    const x = x_of(tick, width);
    svg.append(drawn("line", { class: "grid", x1: x, x2: x, y1: 4, y2: bottom }));
    const end = x > width - 30;
    if (labels) svg.append(drawn("text", { x: end ? width - 2 : x, y: bottom + 14, "text-anchor": end ? "end" : "middle" }, clock(tick, end_s < 10)));
  }
}

function draw_shades(svg, width, bottom) {
  for (const played of data.played) {
    const from = x_of(Math.min(played.at_s, end_s), width);
    const until = x_of(Math.min(Math.max(played.until_s, played.at_s), end_s), width);
    if (until - from < 1) svg.append(drawn("line", { class: "instant", x1: from, x2: from, y1: 4, y2: bottom }));
    else svg.append(drawn("rect", { class: "shade", x: from, y: 4, width: until - from, height: bottom - 4 }));
  }
  for (const broken of data.broken.slice(0, 200)) {
    const x = x_of(Math.min(broken.at_s, end_s), width);
    svg.append(drawn("line", { class: "break", x1: x, x2: x, y1: 4, y2: bottom, "stroke-dasharray": "3 3" }));
  }
}

// A line that shows where the picture is, and takes it elsewhere when the plot is clicked or dragged in.
function with_cursor(svg, width, bottom) {
  const line = drawn("line", { class: "cursor", y1: 2, y2: bottom });
  svg.append(line);
  const show = (at) => {
    line.setAttribute("x1", x_of(at, width));
    line.setAttribute("x2", x_of(at, width));
  };
  const take = (event) => {
    const box = svg.getBoundingClientRect();
    now.set(time_at(((event.clientX - box.left) / box.width) * width, width));
  };
  svg.addEventListener("pointerdown", (event) => { svg.setPointerCapture(event.pointerId); take(event); });
  svg.addEventListener("pointermove", (event) => { if (event.buttons) take(event); });
  show(now.at);
  return show;
}

// The time line: a bar for each fault, in as few rows as keep them apart, and a flag for each broken promise.
function rows_of(played, width) {
  const ends = [];
  return played.map((fault) => {
    const from = x_of(fault.at_s, width);
    const until = Math.max(x_of(Math.min(fault.until_s, end_s), width), from + 4);
    const label = fault.text.length * 6.2 + 8;
    // A label stands right of its bar's start when there is room, else left of its end.
    const left = from + label > width && until > label;
    const span = [left ? Math.min(from, until - label) : from, Math.max(until, left ? until : from + label)];
    let row = ends.findIndex((end) => end + 6 <= span[0]);
    if (row < 0) row = ends.push(0) - 1;
    ends[row] = span[1];
    return { fault, from, until, left, row };
  });
}

const labelled_rows_most = 14;

function draw_faults(width) {
  const holder = by_id("faults");
  holder.hidden = data.played.length + data.broken.length === 0;
  const placed = rows_of(data.played, width);
  const rows = placed.reduce((most, item) => Math.max(most, item.row + 1), 0);
  const labels = rows <= labelled_rows_most;
  const height = labels ? 18 : Math.max(3, Math.min(8, 240 / Math.max(rows, 1)));
  const top = data.broken.length ? 18 : 6;
  const bottom = top + Math.max(rows, 1) * height + 4;
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${bottom + 20}`, role: "img", "aria-label": plural(data.played.length, "fault", "faults") + " over time" });
  draw_time_axis(svg, width, bottom, true);
  for (const { fault, from, until, left, row } of placed) {
    const y = top + row * height;
    const bar = drawn("rect", { class: labels ? "shade" : "bar", x: from, y: y, width: until - from, height: height - 2, rx: 3 });
    bar.append(drawn("title", {}, `${clock(fault.at_s)} to ${clock(fault.until_s)}: ${fault.text}`));
    svg.append(bar);
    if (labels) {
      svg.append(drawn("rect", { class: "bar", x: from, y: y, width: 3, height: height - 2 }));
      svg.append(drawn("text", { class: "on", x: left ? until - 4 : from + 7, y: y + 12, "text-anchor": left ? "end" : "start" }, fault.text));
    }
  }
  for (const broken of data.broken.slice(0, 200)) {
    const x = x_of(Math.min(broken.at_s, end_s), width);
    const flag = drawn("path", { class: "flag", d: `M${x - 5} 3h10l-5 9z` });
    flag.append(drawn("title", {}, `${clock(broken.at_s, true)} ${broken.invariant}: ${broken.text}`));
    svg.append(flag, drawn("line", { class: "break", x1: x, x2: x, y1: 10, y2: bottom, "stroke-dasharray": "3 3" }));
  }
  const show = with_cursor(svg, width, bottom);
  holder.replaceChildren(svg);
  return show;
}
