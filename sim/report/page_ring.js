// The membership at a time, found by playing the moments up to it, and drawn as nodes on a circle.

const nodes = Math.max(data.run.nodes, data.identities.length, data.moments.reduce((most, moment) => Math.max(most, moment[1] + 1), 0));
const flag = { there: 1, running: 2, joined: 4, paused: 8, cut: 16, left: 32, hostile: 64 };

// What is known of every node at one time; `next` is the first moment that is not played yet.
class Membership {
  constructor() {
    this.next = 0;
    this.flags = new Uint8Array(nodes);
    this.suspected = new Uint32Array(nodes);
    this.down = new Uint32Array(nodes);
  }
  copy() {
    const made = new Membership();
    made.next = this.next;
    made.flags.set(this.flags);
    made.suspected.set(this.suspected);
    made.down.set(this.down);
    return made;
  }
  play([, node, what, by]) {
    const set = (bits) => { this.flags[node] |= bits; };
    const clear = (bits) => { this.flags[node] &= ~bits; };
    switch (what) {
      case "started": set(flag.there | flag.running); clear(flag.joined | flag.paused | flag.left); break;
      case "joined": set(flag.there | flag.running | flag.joined); break;
      case "stopped": set(flag.there); clear(flag.running | flag.joined | flag.paused); break;
      case "paused": set(flag.paused); break;
      case "resumed": clear(flag.paused); break;
      case "cut": set(flag.cut); break;
      case "mended": clear(flag.cut); break;
      case "left": set(flag.there | flag.left); clear(flag.running | flag.joined); this.suspected[node] = this.down[node] = 0; break;
      case "hostile": set(flag.hostile); break;
      // Each says how it stands now: while anybody holds a node Down, suspicions are not told.
      case "suspected": this.suspected[node] = by; this.down[node] = 0; break;
      case "down": this.down[node] = by; this.suspected[node] = 0; break;
      case "cleared": this.suspected[node] = this.down[node] = 0; break;
      case "moved": break;
    }
    this.next += 1;
  }
}

// Kept every so many moments, so that the slider need not begin at the beginning.
const stride = Math.max(2000, nodes);
const kept = [new Membership()];
let current = kept[0].copy();

function membership_at(at) {
  const ms = at * 1000;
  const ahead = (membership) => membership.next > 0 && data.moments[membership.next - 1][0] > ms;
  if (ahead(current)) current = kept.filter((membership) => !ahead(membership)).pop().copy();
  while (current.next < data.moments.length && data.moments[current.next][0] <= ms) {
    current.play(data.moments[current.next]);
    if (current.next === kept.length * stride) kept.push(current.copy());
  }
  return current;
}

// The states, the most telling first: a node is shown in the first that fits. The shape tells it too.
const states = [
  { key: "absent", word: "not there yet", fits: (f) => !(f & flag.there) },
  { key: "left", word: "left for good", shape: "ring", fits: (f) => f & flag.left },
  { key: "stopped", word: "stopped", shape: "ring", fits: (f) => !(f & flag.running) },
  { key: "hostile", word: "hostile", shape: "triangle", fits: (f) => f & flag.hostile },
  { key: "paused", word: "paused", shape: "square", fits: (f) => f & flag.paused },
  { key: "cut", word: "cut off", shape: "diamond", fits: (f) => f & flag.cut },
  { key: "down", word: "running, Down at most", shape: "disc", fits: (f, suspected, down, others) => down * 2 > others },
  { key: "partly", word: "running, Down at some", shape: "disc", fits: (f, suspected, down) => down > 0 },
  { key: "suspected", word: "suspected", shape: "disc", fits: (f, suspected) => suspected > 0 },
  { key: "joining", word: "joining", shape: "ring", fits: (f) => !(f & flag.joined) },
  { key: "up", word: "up", shape: "disc", fits: () => true },
];
const shown_states = ["up", "joining", "suspected", "partly", "down", "stopped", "paused", "cut", "hostile", "left"].map((key) => states.find((state) => state.key === key));

function running_in(membership) {
  let running = 0;
  for (let node = 0; node < nodes; ++node) if (membership.flags[node] & flag.running) running += 1;
  return running;
}

// How many there are to hold one of the running Down.
function others_of(membership) {
  return Math.max(1, running_in(membership) - 1);
}

function state_of(membership, node, others) {
  return states.find((state) => state.fits(membership.flags[node], membership.suspected[node], membership.down[node], others));
}

// By region, then by number: a region's outage is a dark arc and not a sprinkle.
const order = Array.from({ length: nodes }, (_, node) => node);
const region_of = (node) => (data.identities[node] ? data.identities[node][1] : "");
order.sort((a, b) => (region_of(a) < region_of(b) ? -1 : region_of(a) > region_of(b) ? 1 : a - b));

// Where each node stands, in as many rings as let the dots be largest.
function places(radius) {
  let best = { pitch: 0, rings: 1 };
  for (let rings = 1; rings <= 60; ++rings) {
    const columns = Math.ceil(nodes / rings);
    // The innermost ring has the least room: pitch <= 2 pi (radius - (rings - 1) pitch) / columns.
    const pitch = (2 * Math.PI * radius) / (columns + 2 * Math.PI * (rings - 1));
    if (pitch > best.pitch && (rings - 1) * pitch < radius * 0.55) best = { pitch, rings };
    if (best.pitch >= 20) break;
  }
  const pitch = Math.min(best.pitch, 30), rings = best.rings, columns = Math.ceil(nodes / rings);
  const x = new Float32Array(nodes), y = new Float32Array(nodes);
  order.forEach((node, index) => {
    const ring = index % rings, column = Math.floor(index / rings);
    const angle = ((column + 0.5) / columns) * 2 * Math.PI - Math.PI / 2;
    x[node] = Math.cos(angle) * (radius - ring * pitch);
    y[node] = Math.sin(angle) * (radius - ring * pitch);
  });
  return { x, y, dot: Math.max(pitch * 0.4, 0.9), inner: radius - rings * pitch, angle_of: (index) => (Math.floor(index / rings) / columns) * 2 * Math.PI - Math.PI / 2 };
}

const canvas = by_id("ring");
const pen = canvas.getContext("2d");
let colours = {}, layout = null, size = 0, scale = 1, selected = -1;

function read_colours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["text", "soft", "faint", "page", ...states.map((state) => state.key)]) colours[name] = style.getPropertyValue("--" + name).trim();
}

function shape_path(context, shape, x, y, r) {
  context.beginPath();
  if (shape === "triangle") {
    context.moveTo(x, y - r * 1.15);
    context.lineTo(x + r * 1.15, y + r * 0.85);
    context.lineTo(x - r * 1.15, y + r * 0.85);
    context.closePath();
  } else if (shape === "square") {
    context.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76);
  } else if (shape === "diamond") {
    context.moveTo(x, y - r * 1.15);
    context.lineTo(x + r * 1.15, y);
    context.lineTo(x, y + r * 1.15);
    context.lineTo(x - r * 1.15, y);
    context.closePath();
  } else {
    context.arc(x, y, r, 0, 2 * Math.PI);
  }
}

// A wedge says at how many of the others a node counts as Down.
function draw_wedge(x, y, r, share) {
  pen.beginPath();
  pen.moveTo(x, y);
  pen.arc(x, y, r, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(share, 1));
  pen.closePath();
  pen.fillStyle = colours.down;
  pen.fill();
}

function draw_node(membership, node, state, others) {
  const x = layout.x[node], y = layout.y[node];
  // Among thousands of small dots the few that are not well must not drown.
  const r = layout.dot < 3 && state.key !== "up" ? layout.dot * 1.3 : layout.dot;
  const share = membership.down[node] / others;
  const hollow = state.shape === "ring" && r > 2;
  shape_path(pen, state.shape, x, y, hollow ? r - Math.min(1, r * 0.15) : r);
  if (hollow) {
    pen.lineWidth = Math.min(2, r * 0.35);
    pen.strokeStyle = colours[state.key];
    pen.stroke();
  } else {
    pen.fillStyle = colours[state.key];
    // Few doubters, a pale dot; all of them, a full one.
    const doubt = state.key === "suspected" ? membership.suspected[node] / others : 1;
    pen.globalAlpha = 0.45 + 0.55 * Math.min(1, doubt);
    pen.fill();
    pen.globalAlpha = 1;
  }
  if (share > 0 && r > 2 && state.key !== "down" && state.key !== "left") draw_wedge(x, y, r * 0.62, share);
}

function draw_regions() {
  let from = 0;
  pen.font = `${size < 420 ? 11 : 13}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const radius = size / 2 - 14;
  for (let index = 1; index <= nodes; ++index) {
    if (index < nodes && region_of(order[index]) === region_of(order[from])) continue;
    const region = region_of(order[from]);
    const start = layout.angle_of(from) + 0.012, stop = (index === nodes ? 1.5 * Math.PI : layout.angle_of(index)) - 0.012;
    from = index;
    if (!region || stop - start < 0.02) continue;
    pen.beginPath();
    pen.arc(0, 0, radius - 10, start, stop);
    pen.strokeStyle = colours.faint;
    pen.lineWidth = 2;
    pen.stroke();
    if ((stop - start) * radius < pen.measureText(region).width * 0.8) continue;
    const middle = (start + stop) / 2;
    pen.save();
    pen.rotate(middle + (Math.sin(middle) > 0 ? -Math.PI / 2 : Math.PI / 2));
    pen.fillStyle = colours.soft;
    pen.fillText(region, 0, (Math.sin(middle) > 0 ? 1 : -1) * (radius + 2));
    pen.restore();
  }
}

// Lines that fit, two at most: the picture's middle is small, and the time line below has the whole text.
function broken_into(text, room) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = (lines[lines.length - 1] + " " + word).trim();
    if (pen.measureText(longer).width <= room || lines[lines.length - 1] === "") lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  const fits = lines.slice(0, 2).map((line) => (pen.measureText(line).width > room * 1.1 ? line.slice(0, 24) + "…" : line));
  if (lines.length > 2) fits[1] += " …";
  return fits;
}

function draw_middle(membership, others, at) {
  const room = Math.max(layout.inner, 20) * 2;
  let alive = 0;
  for (let node = 0; node < nodes; ++node) if (membership.flags[node] & flag.joined && membership.down[node] * 2 <= others) alive += 1;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = colours.text;
  const large = Math.min(56, room * 0.26);
  pen.font = `650 ${large}px system-ui, sans-serif`;
  pen.fillText(fixed(alive, 0), 0, -large * 0.55);
  pen.fillStyle = colours.soft;
  const small = Math.min(15, room * 0.075);
  pen.font = `${small}px system-ui, sans-serif`;
  pen.fillText(`of ${fixed(running_in(membership), 0)} running are alive to most`, 0, large * 0.2);
  pen.fillText(clock(at), 0, large * 0.2 + small * 1.5);
  const faults = data.played.filter((played) => played.at_s <= at && at <= Math.max(played.until_s, played.at_s + end_s / 200));
  pen.fillStyle = colours.text;
  const lines = faults.slice(0, 2).flatMap((played) => broken_into(played.text, room * 0.78));
  if (faults.length > 2) lines.push(`and ${plural(faults.length - 2, "more fault", "more faults")}`);
  lines.forEach((line, index) => pen.fillText(line, 0, large * 0.2 + small * (3.3 + 1.35 * index)));
}

function draw_ring(at) {
  const membership = membership_at(at);
  const counts = Object.fromEntries(states.map((state) => [state.key, 0]));
  const found = new Array(nodes), others = others_of(membership);
  for (let node = 0; node < nodes; ++node) {
    found[node] = state_of(membership, node, others);
    counts[found[node].key] += 1;
  }
  if (layout) {
    pen.setTransform(scale, 0, 0, scale, canvas.width / 2, canvas.height / 2);
    pen.clearRect(-canvas.width, -canvas.height, 2 * canvas.width, 2 * canvas.height);
    draw_regions();
    for (let node = 0; node < nodes; ++node) if (found[node].key !== "absent") draw_node(membership, node, found[node], others);
    draw_middle(membership, others, at);
    if (selected >= 0) {
      shape_path(pen, "disc", layout.x[selected], layout.y[selected], layout.dot + 3.5);
      pen.strokeStyle = colours.text;
      pen.lineWidth = 2;
      pen.stroke();
    }
  }
  return counts;
}

function resize_ring() {
  const room = canvas.getBoundingClientRect();
  size = Math.min(room.width, room.height);
  if (size < 40) return;
  scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(room.width * scale);
  canvas.height = Math.round(room.height * scale);
  layout = places(size / 2 - (data.identities.some((identity) => identity[1]) ? 44 : 20));
}
