"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const head = data.head;
const onDevice = data.kernels.length > 0;
const emulated = head.backend === "emulated";
const byId = id => document.getElementById(id);

// ---------------------------------------------------------------- numbers and elements

const digits = (value, most) => value.toLocaleString("en", { maximumFractionDigits: most });
const significant = value => value === 0 ? "0" : Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 4 });
const time = seconds => seconds >= 1 ? significant(seconds) + " s" : significant(seconds * 1e3) + " ms";
const mega = bytes => digits(bytes / 1e6, bytes < 1e7 ? 2 : 1) + " MB";
const giga = count => significant(count / 1e9);
const percent = share => digits(share * 100, 1) + " %";

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.append(...children);
  return made;
}

function shape(parent, tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  if (text !== undefined) {
    made.textContent = text;
  }
  parent.append(made);
  return made;
}

const tip = byId("tip");

/** Shows a text while the pointer is over a shape. */
function explain(target, text) {
  target.addEventListener("pointermove", event => {
    tip.textContent = text;
    tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 4)) + "px";
    tip.style.top = Math.max(4, event.clientY - tip.offsetHeight - 12) + "px";
  });
  target.addEventListener("pointerleave", () => { tip.hidden = true; });
}

/** Stages have the operators' colours where these are stages, else grey. */
const names = data.operators.map(operator => operator.name);
function colour(operator) {
  const place = names.indexOf(operator);
  return place >= 0 && place < 8 ? "var(--c" + place + ")" : "var(--other)";
}

function svg(holder, height) {
  holder.replaceChildren();
  const width = Math.max(280, holder.clientWidth);
  const made = shape(holder, "svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img" });
  return [made, width];
}

/** 1, 2 or 5 times a power of ten, of which about `count` make the whole. */
function step(whole, count) {
  const power = 10 ** Math.floor(Math.log10(whole / count));
  return [1, 2, 5, 10].map(factor => factor * power).find(size => whole / size <= count);
}

// ---------------------------------------------------------------- head

byId("title").textContent = head.model;
byId("subtitle").textContent =
    `${head.height}×${head.width} pixels (HxW), ${head.dtype}, ` +
    (emulated ? "a card emulated on the processor" : head.backend === "cuda" ? "on a card" : "on the processor");
if (emulated) {
  byId("warning").hidden = false;
  byId("warning").textContent = "An emulator ran the kernels: launches, FLOPs, bytes and memory are a card's, but the " +
      "times are the host's and say nothing about a card.";
}
const flops = data.operators.reduce((sum, operator) => sum + operator.flops, 0);
const bytes = data.operators.reduce((sum, operator) => sum + operator.bytes, 0);
[
  [time(head.seconds), "for the matte"],
  [mega(head.peak_bytes), "at most, weights and activations"],
  [giga(flops) + " GFLOP", "of arithmetic, " + giga(flops / head.seconds) + " GFLOP/s"],
  [mega(bytes), "moved, " + giga(bytes / head.seconds) + " GB/s"],
  [percent(data.outside_seconds / head.seconds), "of it outside of operators"],
].forEach(([value, what]) => byId("tiles").append(
    element("div", { class: "tile" }, element("b", {}, value), element("span", {}, what))));

// ---------------------------------------------------------------- time and memory

function drawTimeline() {
  const threads = [...new Set(data.workers.map(span => span.lane))].sort((a, b) => a - b);
  const lanes = onDevice ? ["host", "device"] : ["network", ...threads.map(thread => "thread " + thread)];
  const laneHeight = 26;
  const memoryTop = lanes.length * (laneHeight + 6) + 16;
  const memoryHeight = 120;
  const [plot, width] = svg(byId("timeline"), memoryTop + memoryHeight + 26);
  const left = 66;
  const x = seconds => left + seconds / head.seconds * (width - left - 8);
  const size = step(head.seconds, Math.max(2, width / 110));
  for (let tick = 0; tick <= head.seconds; tick += size) {
    shape(plot, "line", { class: "grid", x1: x(tick), x2: x(tick), y1: 0, y2: memoryTop + memoryHeight });
    shape(plot, "text", { x: x(tick), y: memoryTop + memoryHeight + 16, "text-anchor": "middle" }, time(tick));
  }
  const block = (lane, span, name, text, fill) => {
    const top = lane * (laneHeight + 6);
    const wide = Math.max(0.6, x(span.end) - x(span.start));
    explain(shape(plot, "rect", {
      x: x(span.start), y: top, width: wide, height: laneHeight, rx: Math.min(3, wide / 4), fill,
    }), text);
    if (wide > name.length * 6.4 + 8) {
      shape(plot, "text", {
        x: x(span.start) + 5, y: top + 17, style: "fill: var(--card); pointer-events: none",
      }, name);
    }
  };
  lanes.forEach((name, lane) => shape(plot, "text", { x: 0, y: lane * (laneHeight + 6) + 17 }, name));
  data.stages.forEach(stage => block(0, stage, stage.name,
      `${stage.name}\n${time(stage.done - stage.ran)}, ${giga(stage.flops)} GFLOP, arena ${mega(stage.arena_bytes)}`,
      onDevice ? "var(--other)" : colour(stage.operator)));
  data.workers.forEach(span => block(1 + threads.indexOf(span.lane), span, "",
      `${span.name}\n${time(span.end - span.start)}`, colour(span.operator)));
  data.kernels.forEach(span => block(1, span, span.operator,
      `${span.name}\n${time(span.end - span.start)}`, colour(span.operator)));

  const planned = Math.max(...data.stages.map(stage => stage.planned.arena_bytes));
  const most = head.weights_bytes + Math.max(planned, ...data.stages.map(stage => stage.arena_bytes));
  const y = value => memoryTop + memoryHeight * (1 - value / most / 1.08);
  const memoryStep = step(most / 1e6, 4) * 1e6;
  for (let tick = 0; tick <= most; tick += memoryStep) {
    shape(plot, "line", { class: "grid", x1: left, x2: width - 8, y1: y(tick), y2: y(tick) });
    shape(plot, "text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, digits(tick / 1e6, 1) + " MB");
  }
  explain(shape(plot, "rect", {
    x: left, y: y(head.weights_bytes), width: width - left - 8, height: y(0) - y(head.weights_bytes),
    fill: "var(--memory)",
  }), "weights " + mega(head.weights_bytes));
  let plan = "";
  data.stages.forEach(stage => {
    const [from, to] = [x(stage.ran), x(stage.done)];
    explain(shape(plot, "rect", {
      x: from, y: y(head.weights_bytes + stage.arena_bytes), width: Math.max(0.6, to - from),
      height: y(head.weights_bytes) - y(head.weights_bytes + stage.arena_bytes), fill: "var(--arena)", "shape-rendering": "crispEdges",
    }), `${stage.name}\narena ${mega(stage.arena_bytes)}, planned ${mega(stage.planned.arena_bytes)}`);
    const level = y(head.weights_bytes + stage.planned.arena_bytes);
    plan += `${plan ? "L" : "M"}${from} ${level}L${to} ${level}`;
  });
  shape(plot, "path", { class: "planned", d: plan, style: "pointer-events: none" });
}

names.slice(0, 8).concat(names.length > 8 ? ["others"] : []).forEach(name => byId("legend").append(
    element("li", {}, element("i", { class: "swatch", style: "background: " + colour(name) }), name)));
[["weights", "var(--memory)"], ["activations", "var(--arena)"], ["memory planned", "var(--plan)"]].forEach(([name, fill]) =>
    byId("legend").append(
        element("li", {}, element("i", { class: "swatch", style: "background: " + fill }), name)));

// ---------------------------------------------------------------- operators

function row(cells, attributes = {}) {
  return element("tr", attributes, ...cells);
}

/** Columns of these indices are left out on narrow screens. */
function cells(tag, values, wide) {
  return values.map((value, i) => element(tag, wide.includes(i) ? { class: "wide" } : {}, value));
}

function fillOperators() {
  const table = byId("operators");
  const wide = [1, 4, 5, 6, 7];
  table.append(row(cells(
      "th", [onDevice ? "kernel" : "operator", "calls", "time", "share", "GFLOP", "MB", "GFLOP/s", "GB/s", "roofline"], wide)));
  data.operators.forEach(operator => {
    const name = element("span", { class: "operator" },
        element("i", { class: "swatch", style: "background: " + colour(operator.name) }), operator.name);
    const share = operator.seconds / head.seconds;
    const made = row(cells("td", [
      name, String(operator.calls), time(operator.seconds), "", giga(operator.flops), digits(operator.bytes / 1e6, 1),
      giga(operator.flops / operator.seconds), giga(operator.bytes / operator.seconds),
      operator.roofline === null ? "–" : percent(operator.roofline),
    ], wide));
    const bar = made.children[3];
    bar.className = "bar";
    bar.append(
        element("i", { style: `width: calc(${100 * share}% - 8px); background: ${colour(operator.name)}` }),
        element("span", {}, percent(share)));
    table.append(made);
  });
  const rest = ["outside of operators", "", time(data.outside_seconds), percent(data.outside_seconds / head.seconds)];
  table.append(row(cells("td", rest.concat(["", "", "", "", ""]), wide)));
  table.append(row(cells("td", [
    "total", String(data.operators.reduce((sum, operator) => sum + operator.calls, 0)), time(head.seconds), "100 %",
    giga(flops), digits(bytes / 1e6, 1), giga(flops / head.seconds), giga(bytes / head.seconds), "",
  ], wide), { class: "sum" }));
  byId("ceilings").textContent = data.roofline === null ? "" :
      `This machine, measured in the same run: ${giga(data.roofline.bytes_per_second)} GB/s in a copy, ` +
      `${giga(data.roofline.flops_per_second)} GFLOP/s in matrix products. “Roofline” is the least time that these ` +
      "allow for the work, per the time it took; above 100 %, data came from a cache, or the machine was less busy.";
}

// ---------------------------------------------------------------- roofline

function drawRoofline() {
  const roof = data.roofline;
  const computing = data.operators.filter(operator => operator.flops > 0 && operator.bytes > 0);
  const copying = data.operators.filter(operator => operator.flops === 0 && operator.bytes > 0);
  const intensities = computing.map(operator => operator.flops / operator.bytes);
  const rates = computing.map(operator => operator.flops / operator.seconds);
  if (roof) {
    intensities.push(roof.flops_per_second / roof.bytes_per_second);
    rates.push(roof.flops_per_second);
  }
  const low = 10 ** Math.floor(Math.log10(Math.min(...intensities)) - 0.2);
  const high = 10 ** Math.ceil(Math.log10(Math.max(...intensities)) + 0.2);
  copying.forEach(operator => rates.push(operator.bytes / operator.seconds * low));
  const bottom = 10 ** Math.floor(Math.log10(Math.min(...rates)));
  const top = 10 ** Math.ceil(Math.log10(Math.max(...rates)) + 0.05);
  const height = 380;
  const [plot, width] = svg(byId("roofline"), height);
  const [left, right, above, below] = [58, 12, 10, 40];
  const x = value => left + Math.log10(value / low) / Math.log10(high / low) * (width - left - right);
  const y = value => height - below - Math.log10(value / bottom) / Math.log10(top / bottom) * (height - above - below);
  const tens = (from, to) => Array.from({ length: Math.round(Math.log10(to / from)) + 1 }, (_, i) => from * 10 ** i);
  tens(low, high).forEach(value => {
    shape(plot, "line", { class: "grid", x1: x(value), x2: x(value), y1: above, y2: height - below });
    const anchor = value * 1.01 > high ? "end" : "middle";
    shape(plot, "text", { x: x(value), y: height - below + 16, "text-anchor": anchor }, significant(value));
  });
  tens(bottom, top).forEach(value => {
    shape(plot, "line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) });
    shape(plot, "text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, significant(value / 1e9));
  });
  shape(plot, "text", { x: width - right, y: height - 6, "text-anchor": "end" }, "FLOPs per byte moved");
  shape(plot, "text", { x: left + 6, y: above + 10, class: "halo" }, "GFLOP/s");
  const taken = []; // boxes of what should not be written over
  if (roof) {
    const ridge = roof.flops_per_second / roof.bytes_per_second;
    const floor = Math.max(low, bottom / roof.bytes_per_second);
    shape(plot, "path", {
      class: "roof",
      d: `M${x(floor)} ${y(floor * roof.bytes_per_second)}L${x(ridge)} ${y(roof.flops_per_second)}` +
          `L${x(high)} ${y(roof.flops_per_second)}`,
    });
    shape(plot, "text", { x: width - right, y: y(roof.flops_per_second) - 8, "text-anchor": "end", class: "name" },
        `matrix products ${giga(roof.flops_per_second)} GFLOP/s`);
    taken.push([width - right - 170, y(roof.flops_per_second) - 20, width, y(roof.flops_per_second) + 3]);
    const along = Math.sqrt(floor * ridge);
    const slope = Math.atan2(
        y(along * roof.bytes_per_second) - y(ridge * roof.bytes_per_second), x(ridge) - x(along)) * 180 / Math.PI;
    const at = [x(along), y(along * roof.bytes_per_second) - 8];
    shape(plot, "text", {
      x: at[0], y: at[1], "text-anchor": "middle", class: "name", transform: `rotate(${-slope} ${at[0]} ${at[1]})`,
    }, `copy ${giga(roof.bytes_per_second)} GB/s`);
  }
  const point = (operator, intensity, rate) => {
    const radius = 4 + 14 * Math.sqrt(operator.seconds / head.seconds);
    const [cx, cy] = [x(intensity), y(rate)];
    explain(shape(plot, "circle", {
      cx, cy, r: radius, fill: colour(operator.name), "fill-opacity": 0.8, stroke: "var(--card)",
    }), `${operator.name}\n${time(operator.seconds)}, ${giga(operator.flops / operator.seconds)} GFLOP/s, ` +
        `${giga(operator.bytes / operator.seconds)} GB/s` +
        (operator.roofline === null ? "" : `\n${percent(operator.roofline)} of the roofline`));
    taken.push([cx - radius, cy - radius, cx + radius, cy + radius]);
    return { operator, cx, cy, radius };
  };
  const points = computing.map(operator => point(operator, operator.flops / operator.bytes, operator.flops / operator.seconds))
      .concat(copying.map(operator => point(operator, low, operator.bytes / operator.seconds * low)));
  // A name goes beside its point where there is room for it; the tip has it anyway.
  points.forEach(({ operator, cx, cy, radius }) => {
    const long = operator.name.length * 6.2;
    const places = [0, 22, 44, 66].flatMap(away => [
      [cx + radius + 4, cy + 4 + away], [cx + radius + 4, cy + 4 - away],
      [cx - radius - 4 - long, cy + 4 + away], [cx - radius - 4 - long, cy + 4 - away],
      [cx - long / 2, cy - radius - 5 - away], [cx - long / 2, cy + radius + 13 + away],
    ]);
    const free = places.find(([left0, base]) => {
      const box = [left0 - 2, base - 10, left0 + long + 2, base + 3];
      return box[0] > left && box[2] < width && box[1] > 0 && box[3] < height - below &&
          taken.every(other => box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]);
    });
    if (free) {
      taken.push([free[0] - 2, free[1] - 10, free[0] + long + 2, free[1] + 3]);
      const [middle, base] = [free[0] + long / 2, free[1] - 4];
      if (Math.abs(base - cy) > radius + 12) {
        shape(plot, "line", { class: "leader", x1: cx, y1: cy, x2: middle, y2: base + (base > cy ? -7 : 7) });
      }
      shape(plot, "text", { x: free[0], y: free[1], class: "name halo", style: "pointer-events: none" }, operator.name);
    }
  });
  byId("rooflineNote").textContent =
      (roof ? "The lines are what this machine reached in the same run. " :
          "Without the machine's lines, for the times are an emulator's. ") +
      "A circle's area grows with the operator's time" +
      (copying.length ? "; at the left edge, what only moves bytes." : ".");
}

// ---------------------------------------------------------------- the network's choices

function picture(source, caption, mask) {
  const frame = element("div", { class: "frame" }, element("img", { src: source, alt: caption }));
  if (mask) {
    frame.append(element("img", {
      class: "mask", src: mask, alt: "",
      style: `width: ${100 * data.routing.across}%; height: ${100 * data.routing.down}%`,
    }));
  }
  return element("figure", {}, frame, element("figcaption", {}, caption));
}

function fillChoices() {
  const pictures = byId("pictures");
  pictures.append(picture(data.pictures.photo, "photo"), picture(data.pictures.trimap, "trimap"),
      picture(data.pictures.alpha, "alpha"));
  if (data.routing) {
    byId("choiceTitle").textContent = "Routing";
    byId("choiceNote").textContent = "Bright tokens attended to all of the picture; dark ones took the lightweight path.";
    data.routing.routers.forEach((router, i) => pictures.append(picture(data.pictures.photo,
        `router ${i}, block ${router.block}: ${digits(router.kept, 0)} of ${digits(data.routing.tokens, 0)} tokens ` +
        `attend (${percent(router.kept / data.routing.tokens)})`, router.mask)));
  }
  if (data.path) {
    byId("choiceTitle").textContent = "The path through the network";
    byId("choiceNote").textContent = `Segments kept (coloured) and bypassed: ${digits(head.gmacs, 2)} of at most ` +
        `${head.budget_gmacs} GMACs per 1024×1024 pixels.`;
    [...data.path].forEach((kept, segment) => byId("path").append(
        element("span", kept === "1" ? { class: "kept" } : {}, `${segment} ${kept === "1" ? "kept" : "bypassed"}`)));
  }
}

// ---------------------------------------------------------------- plan

function fillPlan() {
  const stages = data.stages;
  const most = pick => Math.max(...stages.map(pick));
  byId("plan").append(
      row(cells("th", ["", "planned", "happened", "share"], [])),
      ...[
        ["peak memory", mega, head.planned_bytes, head.peak_bytes],
        ["weights", mega, head.weights_bytes, head.weights_bytes],
        ["most activations of a stage", mega, most(stage => stage.planned.arena_bytes), most(stage => stage.arena_bytes)],
        ["arithmetic", count => giga(count) + " GFLOP", head.planned_flops, flops],
        ["bytes moved", mega, head.planned_moved_bytes, bytes],
      ].map(([name, format, planned, happened]) =>
          row(cells("td", [name, format(planned), format(happened), percent(happened / planned)], []))));
  byId("tiling").textContent = "Work is planned for every pixel and token that may be wanted; what the trimap knows and " +
      "routers leave out is saved. At once: " + head.tiling + ".";
  byId("stages").append(
      row(cells("th", ["stage", "time", "GFLOP", "planned", "MB moved", "planned", "arena MB", "planned"], [])),
      ...stages.map(stage => row(cells("td", [
        stage.name === stage.planned.name ? stage.name : `${stage.name} (planned: ${stage.planned.name})`,
        time(stage.done - stage.ran), giga(stage.flops), giga(stage.planned.flops),
        digits(stage.bytes / 1e6, 1), digits(stage.planned.bytes / 1e6, 1),
        digits(stage.arena_bytes / 1e6, 1), digits(stage.planned.arena_bytes / 1e6, 1),
      ], []))));
}

// ---------------------------------------------------------------- commands

function fillCommands() {
  byId("commandsNote").textContent = onDevice ?
      "Nsight Compute takes the slowest of an operator's launches apart, after a warming run; Nsight Systems lists the " +
      "times of all of them." :
      "The processor's operators are no kernels. On a card the same run makes this page with the commands for each of " +
      "its kernels; for matrix products, they are:";
  data.commands.forEach(command => byId("commands").append(element("div", { class: "command" },
      element("h3", {}, command.kernel), element("pre", {}, command.ncu), element("pre", {}, command.nsys))));
}

fillOperators();
fillChoices();
fillPlan();
fillCommands();
function draw() {
  drawTimeline();
  drawRoofline();
}
draw();
addEventListener("resize", draw);
