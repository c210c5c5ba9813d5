// Chapter 8's explorer: sums of parts, made on several machines, add up to the sums of the whole.
import { button, h, row, setAttribute, setEnabled, setPressed, slider } from "./elements.js";
import { explorer, remembered } from "./explorer.js";
import { figure } from "./figure.js";
import { clamp, formatNumber, formatPower, minus } from "./numbers.js";
import { Trajectory, eStep, flatten, makeMixture, maximize, moments, unlessDegenerate } from "./em.js";

const SHARDS_TRAITS = ["data", "machines", "cuts", "shuffle", "iteration", "order", "merged", "keepers", "dead"];
const SHARDS_MACHINES = 8;
const SHARDS_ITERATIONS = 200;
const SHARDS_SHUFFLES = 1e6;

// The machine each of m points is dealt to: a hash of its number, as `dealt` in shards.py.
export function shardsDealt(m, machines, shuffle) {
  return Array.from({ length: m }, (_, i) => {
    let hash = (Math.imul(i + 1, 0x9e3779b1) + Math.imul(shuffle, 0x85ebca6b)) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b) >>> 0;
    return ((hash ^ (hash >>> 16)) >>> 0) % machines;
  });
}

// The sums of two sets of points from those of each: SufficientStatistics.__add__ in gmm_lib/statistics.py.
/**
 * @typedef {{ counts: Float64Array, means: Float64Array, scatter: Float64Array, logLikelihood: number, w?: Float64Array }} Sums
 * @param {Sums} a
 * @param {Sums} b
 * @param {number} k
 * @param {number} d
 * @returns {Sums}
 */
export function addStatistics(a, b, k, d) {
  const counts = a.counts.map((count, j) => count + b.counts[j]);
  const means = new Float64Array(k * d);
  const scatter = new Float64Array(k * d * d);
  for (let j = 0; j < k; j += 1) {
    const share = b.counts[j] / (counts[j] > 0 ? counts[j] : 1);
    const step = Array.from({ length: d }, (_, c) => b.means[j * d + c] - a.means[j * d + c]);
    for (let c = 0; c < d; c += 1) {
      means[j * d + c] = a.means[j * d + c] + share * step[c];
      for (let e = 0; e < d; e += 1) {
        const at = (j * d + c) * d + e;
        scatter[at] = a.scatter[at] + b.scatter[at] + a.counts[j] * share * step[c] * step[e];
      }
    }
  }
  return { counts, means, scatter, logLikelihood: a.logLikelihood + b.logLikelihood };
}

function render({ model, el }) {
  const sets = model.get("datasets");
  const ex = explorer({ model, el, kind: "shards", traits: SHARDS_TRAITS, draw, valid });
  const { t } = ex;

  // -- numbers

  const known = {};
  function dataOf(name) {
    if (!known[name]) {
      const data = flatten(sets[name].points);
      const { x, m, d } = data;
      const values = (a) => Array.from({ length: m }, (_, i) => x[i * d + a]);
      data.sorted = Float64Array.from(values(0)).sort();
      data.k = sets[name].weights.length;
      const start = makeMixture(sets[name].weights, sets[name].means, sets[name].covariances);
      data.path = new Trajectory(data, start);
      // Where a point stands in its machine's row: by its second feature, or spread out evenly.
      const up = d === 2 ? values(1) : null;
      const [low, high] = up ? [Math.min(...up), Math.max(...up)] : [0, 1];
      data.inside = Float64Array.from({ length: m }, (_, i) => 0.72 * (up ? 0.5 - (up[i] - low) / (high - low) : ((i * 0.6180339887498949) % 1) - 0.5));
      known[name] = data;
    }
    return known[name];
  }
  function evenCuts({ sorted, m }, machines) {
    return Array.from({ length: machines - 1 }, (_, s) => {
      const at = Math.floor((m * (s + 1)) / machines);
      return Number(((sorted[at - 1] + sorted[at]) / 2).toFixed(3));
    });
  }
  function partsOf(state) {
    const { x, m, d } = dataOf(state.data);
    const labels = state.shuffle
      ? shardsDealt(m, state.machines, state.shuffle)
      : Array.from({ length: m }, (_, i) => state.cuts.filter((cut) => cut <= x[i * d]).length);
    const parts = Array.from({ length: state.machines }, () => []);
    labels.forEach((part, i) => parts[part].push(i));
    return parts;
  }
  // What a machine makes that has only these points, and θ.
  /** @returns {Sums} with the responsibilities w they are made of */
  function sumsOf({ x, d, k }, mixture, index) {
    const own = new Float64Array(index.length * d);
    index.forEach((i, n) => own.set(x.subarray(i * d, (i + 1) * d), n * d));
    const w = new Float64Array(index.length * k);
    const logLikelihood = eStep(own, index.length, mixture, w);
    return { ...moments(own, index.length, w, k, d), logLikelihood, w };
  }
  function mergedGroups({ machines, order, merged }) {
    const groups = Array.from({ length: machines }, (_, part) => [part]);
    let at = 0;
    for (let n = 0; n < merged; n += 1) {
      groups[at].push(...groups.splice(at + 1, 1)[0]);
      at = order === "chain" || at + 1 >= groups.length - 1 ? 0 : at + 1;
    }
    return groups;
  }
  const relative = (ours, theirs) => {
    const size = Math.max(...Array.from(theirs, Math.abs));
    return Math.max(...Array.from(ours, (value, i) => Math.abs(value - theirs[i]))) / size;
  };
  const sumsDifference = (a, b) => Math.max(...["counts", "means", "scatter"].map((name) => relative(a[name], b[name])), relative([a.logLikelihood], [b.logLikelihood]));
  const mixtureOf = (sums, { m, k, d }) => unlessDegenerate(() => maximize(sums, m, k, d), () => null);

  const numbers = remembered(SHARDS_TRAITS, (state) => {
    const data = dataOf(state.data);
    const { m, k, d } = data;
    const { mixture } = data.path.at(state.iteration);
    const parts = partsOf(state);
    const own = parts.map((index) => sumsOf(data, mixture, index));
    const groups = mergedGroups(state).map((list) => ({ list, sums: list.map((part) => own[part]).reduce((a, b) => addStatistics(a, b, k, d)) }));
    const whole = sumsOf(data, mixture, Array.from({ length: m }, (_, i) => i));
    const complete = groups.length === 1 && !state.keepers.includes(-1);
    const ours = complete ? mixtureOf(groups[0].sums, data) : null;
    const theirs = mixtureOf(whole, data);
    const difference = complete ? sumsDifference(groups[0].sums, whole) : null;
    const thetaDifference = ours && theirs ? Math.max(...["weights", "means", "covariances"].map((name) => relative(ours[name], theirs[name]))) : null;
    const symbols = d === 1 ? SYMBOLS_1 : SYMBOLS_2;
    const total = plainSums(whole, k, d);
    const all = groups.map(({ sums }) => plainSums(sums, k, d));
    return { data, parts, own, groups, whole, complete, ours, theirs, difference, thetaDifference, symbols, total, all };
  });
  // The plain sums a card shows, from counts, means and scatter: [N, Σ w x, Σ w x xᵀ …][component].
  function plainSums({ counts, means, scatter }, k, d) {
    const rows = [Array.from(counts)];
    const each = (f) => rows.push(Array.from({ length: k }, (_, j) => f(j)));
    for (let a = 0; a < d; a += 1) each((j) => counts[j] * means[j * d + a]);
    for (let a = 0; a < d; a += 1) {
      for (let b = a; b < d; b += 1) each((j) => scatter[(j * d + a) * d + b] + counts[j] * means[j * d + a] * means[j * d + b]);
    }
    return rows;
  }
  const SYMBOLS_1 = ["N", "Σ w x", "Σ w x²"];
  const SYMBOLS_2 = ["N", "Σ w x₁", "Σ w x₂", "Σ w x₁²", "Σ w x₁x₂", "Σ w x₂²"];

  // -- the points, machine by machine

  const plot = figure(ex, {
    label: t("plot"),
    x: { label: "x" },
    y: { ticks: 0, label: t("machine-axis") },
    margin: { top: 28, left: 30 },
    height: (width) => clamp(0.19 * width, 200, 380),
    paint,
  });
  const knobs = Array.from({ length: SHARDS_MACHINES - 1 }, (_, s) =>
    plot.handle({
      label: t("cut", { a: s + 1, b: s + 2 }),
      shape: "ring",
      step: () => [dataOf(ex.state.data).d === 1 ? 0.2 : 0.05, 0],
      drag: (x, y, gesture) => moveCut(s, x, gesture),
    }),
  );
  function moveCut(s, wanted, gesture) {
    const { sorted, m } = dataOf(ex.state.data);
    const cuts = [...ex.state.cuts];
    const low = s > 0 ? cuts[s - 1] : sorted[0];
    const high = s < cuts.length - 1 ? cuts[s + 1] : sorted[m - 1];
    cuts[s] = clamp(Number(wanted.toFixed(2)), low, high);
    ex.change({ cuts, merged: 0 }, { gesture });
  }
  function paint(context) {
    const { state } = ex;
    const { data, parts, own } = numbers(state);
    const { x, d, k, m } = data;
    const radius = m > 500 ? 2.2 : 3;
    parts.forEach((index, part) => {
      const gone = state.keepers[part] === -1;
      index.forEach((i, n) => {
        context.fillStyle = gone ? ex.color("unknown") : ex.mix(own[part].w, k, n * k);
        context.globalAlpha = gone ? 0.35 : 1;
        context.beginPath();
        context.arc(plot.x(x[i * d]), plot.y(part + 1 + data.inside[i]), radius, 0, 2 * Math.PI);
        context.fill();
      });
    });
    context.globalAlpha = 1;
  }

  // -- the cards: made once, so that a button keeps the focus when its card changes

  function makeCard(...actions) {
    const title = h("strong", { class: "gmm-shard-title" });
    const meta = h("span", { class: "gmm-shard-meta" });
    const rows = SYMBOLS_2.map(() => {
      const symbol = h("span", { class: "gmm-shard-symbol" });
      const cells = [0, 1].map((j) => {
        const bar = h("span", { class: "gmm-shard-bar" });
        bar.style.setProperty("--knob", `var(--c${j + 1})`);
        const value = h("span", { class: "gmm-shard-value", role: "img" }); // so that its name is read for it
        return { bar, value, track: h("span", { class: "gmm-shard-track" }, bar) };
      });
      const element = h("div", { class: "gmm-shard-row" }, symbol, ...cells.flatMap(({ track, value }) => [track, value]));
      return { element, symbol, cells };
    });
    const head = h("div", { class: "gmm-shard-head" }, h("span", { class: "gmm-shard-names" }, title, meta), ...actions);
    const element = h("div", { class: "gmm-shard", role: "group" }, head, ...rows.map(({ element: each }) => each));
    return { element, title, meta, rows };
  }
  // Two buttons, one of which shows: Enter pressed once more must not kill the machine that has just helped out.
  const cards = Array.from({ length: SHARDS_MACHINES }, (_, part) => {
    const kill = button(t("kill"), () => press(part));
    const again = button(t("recompute"), () => press(part));
    return { ...makeCard(kill, again), kill, again };
  });
  const wholeCard = makeCard();
  wholeCard.element.classList.add("gmm-shard-whole");
  const cardBox = h("div", { class: "gmm-shards" }, ...cards.map(({ element }) => element), wholeCard.element);

  function fillCard(card, { title, meta, sums, scale, symbols }) {
    card.title.textContent = title;
    card.meta.textContent = meta;
    setAttribute(card.element, "aria-label", title);
    card.rows.forEach((line, r) => {
      line.element.hidden = r >= symbols.length || !sums;
      if (line.element.hidden) return;
      line.symbol.textContent = symbols[r];
      line.cells.forEach(({ bar, value }, j) => {
        const number = sums[r][j];
        bar.style.width = `${((100 * Math.abs(number)) / scale[r]).toFixed(2)}%`;
        setAttribute(bar, "data-negative", number < 0);
        value.textContent = minus(formatNumber(Math.abs(number) < 1e-6 * scale[r] ? 0 : number, Math.abs(number) < 1 ? 2 : 4));
        setAttribute(value, "aria-label", t("sum-of", { symbol: symbols[r], j: j + 1, value: value.textContent }));
      });
    });
  }

  // -- what the reader can do

  const machines = slider({
    label: t("machines"),
    min: 1,
    max: SHARDS_MACHINES,
    value: 4,
    oninput: (n, gesture) => ex.change(split(ex.state.data, n), { gesture }),
  });
  function split(data, n) {
    return { data, machines: n, cuts: evenCuts(dataOf(data), n), merged: 0, keepers: Array.from({ length: n }, (_, s) => s), dead: [] };
  }
  const choice = ex.choice("data", Object.keys(sets), (data) => ex.change({ ...split(data, ex.state.machines), iteration: 0 }));
  const order = ex.choice("order", ["tree", "chain"], (name) => ex.change({ order: name, merged: 0 }));
  const shuffle = button(t("shuffle"), () => ex.change({ shuffle: ex.state.shuffle + 1, merged: 0 }));
  const place = button(t("by-place"), () => {
    if (ex.state.shuffle === 0) ex.tell(t("by-place-already"));
    else ex.change({ shuffle: 0, merged: 0 });
  });
  const canMerge = () => ex.state.merged < ex.state.machines - 1 && !ex.state.keepers.includes(-1);
  const merge = button(t("merge"), () => {
    ex.stopPlaying();
    if (canMerge()) ex.change({ merged: ex.state.merged + 1 });
    else if (ex.state.keepers.includes(-1)) ex.tell(t("merge-lost"));
    else ex.tell(t("merge-done"));
  });
  const player = ex.player({ interval: 700, step: (gesture) => canMerge() && ex.change({ merged: ex.state.merged + 1 }, { gesture }) && canMerge() });
  const next = button(t("m-step"), () => {
    ex.stopPlaying();
    if (!numbers(ex.state).complete) return ex.tell(t("m-early"));
    if (ex.state.iteration === SHARDS_ITERATIONS || !dataOf(ex.state.data).path.at(ex.state.iteration + 1)) return ex.tell(t("m-last"));
    return ex.change({ iteration: ex.state.iteration + 1, merged: 0 });
  });
  // The button of a card: takes a machine away, or lets another one do its work again.
  function press(part) {
    const { keepers, dead, machines: n } = ex.state;
    ex.stopPlaying();
    if (keepers[part] !== -1) {
      const victim = keepers[part];
      if (dead.length === n - 1) return ex.tell(t("last-machine"));
      ex.change({ dead: [...dead, victim], keepers: keepers.map((keeper) => (keeper === victim ? -1 : keeper)), merged: 0 });
      return cards[part].again.focus();
    }
    const living = Array.from({ length: n }, (_, s) => s).filter((s) => !dead.includes(s));
    const load = (s) => keepers.filter((keeper) => keeper === s).length;
    const helper = living.reduce((best, s) => (load(s) < load(best) ? s : best));
    ex.change({ keepers: keepers.map((keeper, p) => (p === part ? helper : keeper)) });
    const lost = ex.state.keepers.indexOf(-1);
    return (lost >= 0 ? cards[lost].again : merge).focus();
  }
  // The buttons of the game stand under the picture; beside both, where there is room, the cards that tell what comes of it.
  const bench = h("div", { class: "gmm-bench-left" });
  ex.plots.before(h("div", { class: "gmm-bench" }, bench, cardBox));
  bench.append(ex.plots, row(merge, ...player.controls, next, ex.undoButton()), row(order, shuffle, place), ex.status);
  ex.controls.append(
    row(machines, choice, ex.resetButton(), ex.linkButton(), ex.projectorButton()),
    ex.parts([
      { caption: t("sums-table"), head: () => ["quantity", "merged", "one-place", "relative"].map((key) => t(key)), rows: sumRows },
      { caption: t("parts-table"), head: () => [t("part-column"), t("points-column"), "ℓ"], rows: () => numbers(ex.state).own.map(({ logLikelihood }, part) => [part + 1, numbers(ex.state).parts[part].length, ex.state.keepers[part] === -1 ? "–" : formatNumber(logLikelihood, 6)]) },
    ]),
  );
  ex.next = () => (canMerge() ? merge : next).click();

  function valid(state) {
    const { data, machines: n, cuts, shuffle: s, iteration, order: way, merged, keepers, dead } = state;
    const whole = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;
    const machine = (value) => whole(value, 0, n - 1);
    const inside = (cut) => Number.isFinite(cut) && cut >= dataOf(data).sorted[0] && cut <= dataOf(data).sorted[dataOf(data).m - 1];
    const sound =
      Object.hasOwn(sets, data) && whole(n, 1, SHARDS_MACHINES) &&
      Array.isArray(cuts) && cuts.length === n - 1 && cuts.every((cut, i) => inside(cut) && (i === 0 || cut >= cuts[i - 1])) &&
      whole(s, 0, SHARDS_SHUFFLES) && whole(iteration, 0, SHARDS_ITERATIONS) && ["tree", "chain"].includes(way) &&
      Array.isArray(keepers) && keepers.length === n && Array.isArray(dead) && dead.every(machine) && new Set(dead).size < n &&
      keepers.every((keeper) => keeper === -1 || (machine(keeper) && !dead.includes(keeper))) &&
      whole(merged, 0, n - 1) && (merged === 0 || !keepers.includes(-1)) &&
      dataOf(data).path.at(iteration) !== null;
    return sound ? null : t("bad-link");
  }

  // -- drawing

  function draw(state, before) {
    const found = numbers(state);
    const { data, parts, groups, whole, complete, difference, symbols, total, all } = found;
    const { m, sorted } = data;
    const n = state.machines;
    const pad = 0.03 * (sorted[m - 1] - sorted[0]);
    plot.labels(sets[state.data].axis, t("machine-axis"));
    plot.domain({ x: [sorted[0] - pad, sorted[m - 1] + pad], y: [n + 0.5, 0.5] });
    for (let s = 0; s < SHARDS_MACHINES; s += 1) {
      const here = s < n;
      const gone = state.keepers[s] === -1;
      plot.mark(`name-${s}`, "text", here ? { x: -10, y: plot.y(s + 1), dy: "0.35em", "text-anchor": "end", fill: "var(--muted)", "font-size": 13, text: gone ? "✕" : String(state.keepers[s] + 1) } : null, plot.under);
      plot.mark(`row-${s}`, "line", here && s > 0 ? { x1: 0, x2: plot.width, y1: plot.y(s + 0.5), y2: plot.y(s + 0.5), stroke: "var(--grid)" } : null, plot.under);
      const cut = s < n - 1 && !state.shuffle;
      const [from, to] = [plot.y(s + 0.55), plot.y(s + 2.45)];
      plot.mark(`cut-${s}`, "line", cut ? { x1: plot.x(state.cuts[s]), x2: plot.x(state.cuts[s]), y1: from, y2: to, stroke: "var(--ink)", "stroke-dasharray": "3 4" } : null, plot.over);
      if (s < knobs.length) knobs[s].place(cut ? state.cuts[s] : 0, s + 1.5, { hidden: !cut, now: state.cuts[s] ?? 0, min: sorted[0], max: sorted[m - 1], text: formatNumber(state.cuts[s] ?? 0) });
    }
    plot.paint();

    const scale = symbols.map((_, r) => Math.max(...[...all, total].flatMap((sums) => sums[r].map(Math.abs)), Number.MIN_VALUE));
    const points = (list) => list.reduce((count, part) => count + parts[part].length, 0);
    const meta = (count, l) => t("meta", { n: count, l: formatNumber(l, 5) });
    const shown = new Set();
    groups.forEach(({ list, sums }, g) => {
      const part = list[0];
      const card = cards[part];
      shown.add(part);
      const keeper = state.keepers[part];
      const gone = keeper === -1;
      const title = list.length > 1 ? t("group", { list: list.map((each) => each + 1).join(" + ") }) : gone ? t("part-lost", { part: part + 1 }) : keeper === part ? t("machine", { n: part + 1 }) : t("part-by", { part: part + 1, n: keeper + 1 });
      fillCard(card, { title, meta: gone ? t("points-only", { n: parts[part].length }) : meta(points(list), sums.logLikelihood), sums: gone ? null : all[g], scale, symbols });
      setAttribute(card.element, "data-lost", gone);
      card.kill.hidden = gone || list.length > 1 || n === 1;
      card.again.hidden = !gone;
      setAttribute(card.kill, "aria-label", t("kill-name", { n: keeper + 1 }));
      setAttribute(card.again, "aria-label", t("recompute-name", { part: part + 1 }));
    });
    cards.forEach((card, part) => (card.element.hidden = !shown.has(part)));
    fillCard(wholeCard, { title: t("whole"), meta: meta(m, whole.logLikelihood), sums: total, scale, symbols });

    machines.set(n);
    setPressed(shuffle, state.shuffle > 0);
    setPressed(place, state.shuffle === 0);
    setEnabled(merge, canMerge());
    setEnabled(next, complete);
    setAttribute(next, "data-next", complete);
    setAttribute(merge, "data-next", canMerge());
    ex.data({
      data: state.data,
      iteration: state.iteration,
      machines: n,
      shuffle: state.shuffle,
      order: state.order,
      dead: state.dead.length,
      parts: JSON.stringify(parts.map((index) => index.length)),
      groups: JSON.stringify(groups.map(({ list, sums }) => ({ parts: list, counts: Array.from(sums.counts), means: Array.from(sums.means), scatter: Array.from(sums.scatter), logLikelihood: sums.logLikelihood }))),
      merged: state.merged,
      complete: String(complete),
      difference,
      "theta-difference": found.thetaDifference,
      theta: found.ours ? JSON.stringify({ weights: Array.from(found.ours.weights), means: Array.from(found.ours.means), covariances: Array.from(found.ours.covariances) }) : null,
      keepers: JSON.stringify(state.keepers),
    });
    ex.tell([t("iteration-told", { t: state.iteration }), ...told(state, before, found)].join(" "));
  }

  const rounding = (value) => (value === 0 ? "0" : formatPower(value, 1));
  /**
   * @param {{ keepers: number[], machines: number, merged: number }} state
   * @param {{ keepers: number[], machines: number }} before
   * @param {ReturnType<typeof numbers>} found
   */
  function told(state, before, { difference, thetaDifference, complete }) {
    const lost = state.keepers.flatMap((keeper, part) => (keeper === -1 ? [part + 1] : []));
    const again = before.keepers.findIndex((keeper, part) => keeper === -1 && state.keepers[part] >= 0 && before.machines === state.machines);
    const first = again >= 0 ? [t("again", { part: again + 1, n: state.keepers[again] + 1 })] : [];
    if (lost.length) return [...first, t("lost", { parts: lost.join(", ") })];
    if (!complete) return [...first, t("open", { n: state.machines, done: state.merged, all: state.machines - 1 })];
    if (difference === 0) return [t("equal")];
    return [t("close", { difference: rounding(difference) }), ...(thetaDifference === null ? [] : [t("close-theta", { difference: rounding(thetaDifference) })])];
  }

  function sumRows() {
    const { complete, groups, whole, ours, theirs, data, symbols, total, all } = numbers(ex.state);
    const { k, d } = data;
    const rows = [];
    const cell = (value) => (value === null ? "–" : String(value));
    const off = (mine, other) => (mine === null ? "–" : mine === other ? "0" : rounding(Math.abs((mine - other) / other)));
    const add = (name, mine, other) => rows.push([name, cell(mine), cell(other), off(mine, other)]);
    symbols.forEach((symbol, r) => {
      for (let j = 0; j < k; j += 1) add(`${symbol}, ${j + 1}`, complete ? all[0][r][j] : null, total[r][j]);
    });
    add("ℓ", complete ? groups[0].sums.logLikelihood : null, whole.logLikelihood);
    if (theirs) {
      for (let j = 0; j < k; j += 1) {
        add(`φ, ${j + 1}`, ours?.weights[j] ?? null, theirs.weights[j]);
        for (let a = 0; a < d; a += 1) add(`μ${d > 1 ? "₁₂"[a] : ""}, ${j + 1}`, ours?.means[j * d + a] ?? null, theirs.means[j * d + a]);
        for (let a = 0; a < d; a += 1) for (let b = a; b < d; b += 1) add(`Σ${d > 1 ? "₁₂"[a] + "₁₂"[b] : ""}, ${j + 1}`, ours?.covariances[(j * d + a) * d + b] ?? null, theirs.covariances[(j * d + a) * d + b]);
      }
    }
    return rows;
  }

  return ex.start();
}

export default { render };
