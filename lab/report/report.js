"use strict";
// Draws the plots of the report and opens incidents. Texts of data become text nodes only: nothing here parses markup,
// makes a link, or asks the network for anything.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("data");
  const plots = read("plots");
  const LANES = ["conversations", "screen on", "locked", "dozing"];
  const COLUMNS = 960;
  const text = (number) => (number < 0 ? "-" : data.texts[number]);
  const number = (value) => (value === null || value === undefined ? "n/a" : String(Number(value.toPrecision(3))));

  function make(tag, content, attributes) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    for (const one of [content].flat()) if (one !== undefined && one !== null) element.append(one);
    return element;
  }

  function table(head, rows, caption) {
    const cells = (row) => make("tr", row.map((cell) => make("td", cell, typeof cell === "number" ? { class: "n" } : {})));
    const top = make("thead", make("tr", head.map((name) => make("th", name, { scope: "col" }))));
    const made = make("table", [caption ? make("caption", caption) : null, top, make("tbody", rows.map(cells))]);
    return make("div", made, { class: "wide", tabindex: "0", role: "region", "aria-label": caption || "table" });
  }

  function duration(seconds) {
    if (seconds === null) return "n/a";
    const units = [["d", 86400, Infinity], ["h", 3600, 24], ["min", 60, 60], ["s", 1, 60]];
    const parts = units.map(([name, size, most]) => [Math.floor(Math.round(seconds) / size) % most, name]);
    const first = parts.findIndex(([count]) => count > 0);
    return first < 0 ? "under 1 s" : parts.slice(first, first + 2).filter(([count]) => count).map((one) => one.join(" ")).join(" ");
  }

  // A plot with a name for those who do not see it; its numbers stand beside it in a table.
  function plot(name, rows, label, change) {
    const canvas = make("div");
    const frame = make("div", canvas, { class: `plot ${name}`, role: "img", "aria-label": label });
    const spec = structuredClone(plots[name]);
    spec.datasets = { rows };
    if (change) change(spec);
    const options = { mode: "vega-lite", ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: false, hover: false };
    const drawn = new Promise((done) => requestAnimationFrame(done))
      .then(() => vegaEmbed(canvas, spec, options))
      .then(() => frame.setAttribute("data-drawn", name), (fault) => {
        frame.append(make("p", "This plot could not be drawn; its numbers stand in the table.", { class: "soft" }));
        console.error(`plot ${name}: ${fault.message}`);
      });
    return { frame, drawn };
  }

  const numbers = (...tables) => make("details", [make("summary", "The numbers as a table"), ...tables], { class: "numbers" });

  // ---- detectors side by side
  function sides() {
    const place = document.getElementById("sides");
    if (!place || !data.sides.length) return;
    const views = [...new Set(data.sides.map((row) => row.view))];
    const select = make("select", views.map((view) => make("option", view)), { id: "view" });
    const body = make("div");
    place.append(make("p", [make("label", "View ", { for: "view" }), select], { class: "controls" }), body);
    const show = () => {
      const rows = data.sides.filter((row) => row.view === select.value);
      body.replaceChildren(...[...new Set(rows.map((row) => row.analytic))].map((one) => pair(one, rows.filter((row) => row.analytic === one))));
    };
    select.addEventListener("change", show);
    show();
  }

  // every detector has one colour on the whole page
  function alike(spec) {
    for (const layer of spec.layer)
      if (layer.encoding.color) layer.encoding.color.scale = { ...layer.encoding.color.scale, domain: data.detectors };
  }

  function pair(analytic, rows) {
    const curve = rows.flatMap((row) => [
      ...row.curve.map(([recall, precision]) => ({ detector: row.detector, recall, precision, kind: "step" })),
      ...(row.at ? [{ detector: row.detector, recall: row.at[0], precision: row.at[1], kind: "at" }] : []),
    ]);
    const costs = rows.filter((row) => row.alarms !== null).map((row) => ({
      detector: row.detector, recall: row.recall, recall_low: row.recall_ci[0], recall_high: row.recall_ci[1],
      alarms: row.alarms, alarms_low: row.alarms_ci[0], alarms_high: row.alarms_ci[1], budget: data.budget,
    }));
    const cost = plot("rivals", costs, `${analytic}: recall and false alarms of ${rows.length} detectors`, alike);
    const figures = [figure(`${analytic}: what recall costs (bars: 95 % intervals; dashed: the budget)`, cost.frame)];
    if (curve.length) {
      const one = plot("curve", curve, `${analytic}: precision over recall of ${rows.length} detectors`, alike);
      figures.unshift(figure(`${analytic}: precision over recall (diamond: at the detector's own threshold)`, one.frame));
    }
    const head = ["detector", "recall", "precision", "kind"];
    const points = table(head, curve.map((one) => [one.detector, one.recall, Number(one.precision.toPrecision(3)), one.kind]), `${analytic}: points of the curves`);
    return make("div", [make("div", figures, { class: "pair" }), numbers(points)]);
  }

  const figure = (caption, frame) => make("figure", [make("figcaption", caption), frame]);

  // ---- boundary maps: their tables are in the page already
  function boundaries() {
    document.querySelectorAll("[data-boundary]").forEach((place) => {
      const map = data.boundaries[Number(place.dataset.boundary)];
      const { frame } = plot("boundary", map.rows, place.dataset.label, (spec) => {
        spec.params.find((one) => one.name === "xs").value = map.xs;
        spec.params.find((one) => one.name === "ys").value = map.ys;
        const middles = (names) => names.map((_, index) => index + 0.5);
        for (const layer of spec.layer) {
          for (const [axis, names, title] of [["x", map.xs, map.x], ["y", map.ys, map.y]]) {
            const channel = layer.encoding[axis];
            channel.title = title;
            if (!channel.axis) continue;
            channel.axis.values = middles(names);
            channel.scale.domain = [0, names.length];
          }
        }
      });
      place.append(frame);
    });
  }

  // ---- one incident
  function open(details) {
    if (details.dataset.filled) return;
    details.dataset.filled = "yes";
    const one = data.cases[Number(details.dataset.case)];
    details.querySelector(".why-first").remove(); // it is said again below, for every detector and view
    const place = make("div", null, { class: "drill" });
    details.append(place);
    if (one.lanes) place.append(...timing(one), ...sizes(one));
    place.append(...verdicts(one));
  }

  function timing(one) {
    const at = (column) => one.from + (column * one.span) / COLUMNS;
    const rows = one.lanes.flatMap((strokes, lane) => {
      const made = [];
      for (let index = 0, left = 0; index < strokes.length; index += 2) {
        left = strokes[index];
        made.push({ lane: LANES[lane], from: at(left), to: at(left + strokes[index + 1]) });
      }
      return made;
    });
    const label = `when it spoke: ${one.said} conversations, over screen, lock and doze of the phone`;
    const hours = Math.max(1, Math.round(one.span / 3600000));
    const share = (strokes, hour) => {
      const [low, high] = [(hour * COLUMNS) / hours, ((hour + 1) * COLUMNS) / hours];
      let covered = 0;
      for (let index = 0; index < strokes.length; index += 2)
        covered += Math.max(0, Math.min(high, strokes[index] + strokes[index + 1]) - Math.max(low, strokes[index]));
      return `${Math.round((100 * covered) / (high - low))} %`;
    };
    const stamp = (hour) => new Date(one.from + hour * 3600000).toISOString().slice(0, 16).replace("T", " ");
    const shown = Array.from({ length: Math.min(hours, 72) }, (_, hour) => [stamp(hour), ...one.lanes.map((lane) => share(lane, hour))]);
    const told = table(["hour (UTC)", ...LANES], shown, "Share of each hour that held it");
    return [figure("When it spoke, and what the phone was doing", plot("timing", rows, label).frame), numbers(told)];
  }

  function sizes(one) {
    if (!one.sizes) return [make("p", "How much was said is not known: truth and telemetry have no conversation in common.", { class: "soft" })];
    const rows = one.up.map((up, index) => ({ up: Math.max(1, up), down: Math.max(1, one.down[index]) }));
    const shown = rows.length < one.sizes ? `${rows.length} of ${one.sizes} exchanges, evenly spread over time` : `all ${one.sizes} exchanges`;
    const quantiles = (values) => [0, 0.25, 0.5, 0.75, 1].map((share) => [...values].sort((a, b) => a - b)[Math.round(share * (values.length - 1))]);
    const told = table(["bytes", "least", "a quarter below", "half below", "three quarters below", "most"],
      [["up", ...quantiles(one.up)], ["down", ...quantiles(one.down)]], `Sizes of ${shown}`);
    return [figure(`How much was said: ${shown}`, plot("sizes", rows, `bytes up and down of ${shown}`).frame), numbers(told)];
  }

  function verdicts(one) {
    const choices = one.verdicts.map((row, index) => make("option", `${text(row[0])}, view ${text(row[1])}: ${text(row[2])}`, { value: String(index) }));
    const select = make("select", choices, { "aria-label": "detector and view" });
    const body = make("div", null, { "aria-live": "polite" });
    const show = () => body.replaceChildren(...verdict(one.verdicts[Number(select.value)]));
    select.addEventListener("change", show);
    show();
    return [make("p", [make("b", "Why: "), select], { class: "controls" }), body];
  }

  function verdict([, , word, score, after, contacts, peer, answer, reasons]) {
    const facts = [`${text(word)}; score ${number(score)}`];
    if (text(word) === "detected") facts.push(`after ${duration(after)}${contacts === null ? "" : ` and ${contacts} contacts`}`);
    if (peer >= 0) facts.push(`peer named: ${text(peer)}`);
    const made = [make("p", facts.join("; "))];
    if (answer >= 0) return [...made, ...explained(data.answers[answer])];
    if (reasons.length) made.push(make("ul", reasons.map((one) => make("li", text(one))), { class: "why" }));
    else made.push(make("p", "It gave no reason, and does not explain itself.", { class: "soft" }));
    return made;
  }

  function explained([why, score, threshold, factors, change, together]) {
    const made = [make("p", text(why))];
    if (change >= 0) made.push(make("p", [make("b", "What would have fired: "), text(change)]));
    if (together.length) made.push(make("p", [make("b", "What would have fired, only together: "), together.map(text).join("; ")]));
    if (factors.length) {
      const rows = factors.map(([name, , carries]) => ({ factor: data.factors[name], carries }));
      const label = `what each of ${rows.length} factors carries of the score ${number(score)}`;
      const head = ["factor", "value", "carries", "expected of the innocent"];
      const told = factors.map(([name, value, carries, expected]) => [data.factors[name], number(value), number(carries), data.factors[expected]]);
      const caption = `What carries the score ${number(score)} (threshold ${number(threshold)}): its fall if that factor alone were innocent`;
      made.push(figure(caption, plot("factors", rows, label, (spec) => Object.assign(spec, { height: 20 * rows.length })).frame), numbers(table(head, told, "Factors of the score")));
    }
    return made;
  }

  // ---- the list of incidents
  function list() {
    const all = [...document.querySelectorAll("details[data-case]")];
    all.forEach((details) => details.addEventListener("toggle", () => details.open && open(details)));
    const controls = document.getElementById("filter");
    if (!controls || !all.length) return;
    const [words, verdict, count] = ["filter-text", "filter-verdict", "filter-count"].map((id) => document.getElementById(id));
    const found = all.map((details) => details.textContent.toLowerCase());
    const show = () => {
      let shown = 0;
      all.forEach((details, index) => {
        const verdicts = details.dataset.verdicts.split(" ");
        const fits = found[index].includes(words.value.toLowerCase()) && (!verdict.value || verdicts.includes(verdict.value));
        details.hidden = !fits;
        shown += fits;
      });
      count.textContent = `${shown} of ${all.length} shown`;
    };
    [words, verdict].forEach((one) => one.addEventListener("input", show));
    controls.hidden = false;
    show();
  }

  list();
  sides();
  boundaries();
  document.documentElement.dataset.ready = "yes";
})();
