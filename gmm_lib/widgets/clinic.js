// The bug clinic: programs for EM seen from outside. What is broken, and which line did it? The cases come from clinic.py
// (the trait setups), the programs run here (clinic_program.js).
import { button, h, put, row, select, setAttribute, setEnabled, setPressed, slider } from "./elements.js";
import { explorer, remembered } from "./explorer.js";
import { clamp, formatNumber, formatPower, minus } from "./numbers.js";
import { clinicMeasure, clinicRun, clinicSigns } from "./clinic_program.js";
import { CLINIC_ALIKE, clinicMixture, clinicTrace } from "./clinic_pictures.js";

const CLINIC_PARAMETERS = ["φ", "μ", "σ²", "N"];
const CLINIC_LOOKED = 2; // half steps before there is anything to say

function render({ model, el }) {
  const x = model.get("points");
  const { cases, causes, places } = model.get("setups");
  const ex = explorer({ model, el, kind: "clinic", traits: ["case", "step", "where", "cause", "mended", "solved"], draw, valid });
  const { t } = ex;

  // -- the state and what follows

  const caseOf = (state) => cases[state.case - 1];
  const truthOf = (state) => caseOf(state).cause;
  const placeOf = (state) => Object.keys(places).find((place) => places[place].includes(truthOf(state)));
  const hasLine = (state) => causes[truthOf(state)].length > 0;

  function valid(state) {
    const { step, where, cause, mended, solved } = state;
    const whole = (n) => Number.isInteger(n) && n >= 0;
    const place = whole(state.case) && cases[state.case - 1] ? placeOf(state) : null;
    const sound =
      place && whole(step) && ["", ...Object.keys(places)].includes(where) && typeof mended === "boolean" &&
      (cause === "" || (where === place && places[place].includes(cause))) && (!mended || (cause === truthOf(state) && hasLine(state))) &&
      Array.isArray(solved) && solved.every((n) => whole(n) && n >= 1 && n <= cases.length) && new Set(solved).size === solved.length;
    return sound ? null : t("bad-link");
  }

  // The half steps of a program, each with what it measures.
  const runOf = remembered(["case"], (state, cause) => clinicRun(x, caseOf(state).start, cause).map((half) => ({ ...half, ...clinicMeasure(x, half) })), true);
  const signsOf = remembered(["case"], (state) => clinicSigns(x, caseOf(state).start, truthOf(state)), true);
  const ownRun = (state) => runOf(state, truthOf(state));
  const shownOf = (state) => ownRun(state).slice(0, state.step);
  function stageOf(state) {
    if (state.where !== placeOf(state)) return "where";
    return state.cause === truthOf(state) ? "solved" : "cause";
  }

  // -- moves

  const ended = () => ex.state.step >= ownRun(ex.state).length;
  function go(step, gesture = null) {
    return ex.change({ step: clamp(step, 0, ownRun(ex.state).length) }, { gesture, animate: true });
  }
  function next() {
    if (ended()) ex.tell(t("at-end"));
    else go(ex.state.step + 1);
  }
  function choose(n) {
    ex.stopPlaying();
    ex.change({ case: n, step: 0, where: "", cause: "", mended: false });
  }
  // What was pressed may be gone: the focus goes to what comes next.
  function onwards() {
    const group = { where: placeRow, cause: causeRow, solved: afterRow }[stageOf(ex.state)];
    group.querySelector("button:not([hidden])")?.focus();
  }
  function answerWhere(where) {
    if (ex.state.step < CLINIC_LOOKED) ex.tell(t("run-first"));
    else if (ex.change({ where, cause: "", mended: false }) && stageOf(ex.state) === "cause") onwards();
  }
  function answerCause(cause) {
    const { state } = ex;
    const found = cause === truthOf(state) && !state.solved.includes(state.case);
    if (ex.change({ cause, mended: false, solved: found ? [...state.solved, state.case] : state.solved }) && stageOf(ex.state) === "solved") onwards();
  }

  // -- the picture

  const list = select({ label: t("case"), options: [], onchange: choose });
  const turn = (label, name, by) => button(label, () => choose(((ex.state.case - 1 + by + cases.length) % cases.length) + 1), { name: t(name) });
  const complaint = h("p", { class: "gmm-complaint" });
  ex.root.prepend(h("div", { class: "gmm-row gmm-clinic-cases" }, list, turn("‹", "previous", -1), turn("›", "next", 1)), complaint);
  const trace = clinicTrace(ex);
  const side = h("div", { class: "gmm-side" });
  ex.plots.append(side);
  const mixture = clinicMixture(ex, x, side);
  const parameters = h("table", { class: "gmm-clinic-parameters" });
  side.append(parameters);

  // -- what the reader presses and is told

  const step = button("", next);
  const player = ex.player({ interval: 600, end: (gesture) => go(Infinity, gesture), step: (gesture) => go(ex.state.step + 1, gesture) && !ended() });
  const walk = slider({ label: t("walk"), min: 0, max: 1, oninput: (n, gesture) => go(n, gesture) });
  ex.next = next;

  const say = (className) => h("p", { class: className });
  const group = (name, ...children) => h("div", { class: "gmm-row gmm-options", role: "group", "aria-label": t(name) }, ...children);
  const question = say("gmm-question");
  const placeRow = group("your-diagnosis", ...Object.keys(places).map((where) => button(t(`where-${where}`), () => answerWhere(where))));
  const causeRow = group("your-diagnosis");
  const reply = say("gmm-compared");
  const found = say("gmm-diagnosis");
  const code = h("pre", { class: "gmm-clinic-code", tabindex: 0, role: "region" });
  const compared = say("gmm-diagnosis");
  const mend = button("", () => ex.change({ mended: !ex.state.mended }));
  const another = button(t("onwards"), () => {
    choose((ex.state.case % cases.length) + 1);
    list.input.focus();
  });
  const afterRow = group("your-diagnosis", mend, another);
  const outcome = h("div", { class: "gmm-outcome", "aria-live": "polite" }, reply, found, code, compared);
  ex.controls.append(
    row(step, ...player.controls, walk),
    h("div", { class: "gmm-panel" }, question, placeRow, causeRow, afterRow, outcome),
    ex.stateRow(),
    ex.parts([
      { caption: t("steps-table"), head: () => ["step-column", "log-likelihood-column", "bound-column", "printed-column"].map((key) => t(key)), rows: stepRows },
      { caption: t("shares-table"), head: () => ["x", "w₁", "w₂", t("sum-column")], rows: shareRows },
      { caption: t("parameters-table"), head: () => [t("component-column"), ...CLINIC_PARAMETERS], rows: () => parameterRows(ex.state) },
    ]),
  );

  const fixed = (value) => value.toFixed(4);
  const iterationOf = (n) => Math.floor(n / 2); // of the nth half step, counted from 1
  function stepRows() {
    return shownOf(ex.state).map(({ step: kind, logLikelihood, bound, printed }, n) => [`${iterationOf(n + 1)} ${t(`step-${kind}`)}`, fixed(logLikelihood), fixed(bound), printed === null ? "–" : fixed(printed)]);
  }
  function shareRows() {
    return (shownOf(ex.state).at(-1)?.shares ?? []).map(([one, two], i) => [formatNumber(x[i]), fixed(one), fixed(two), fixed(one + two)]);
  }
  const countsOf = (half) => [0, 1].map((j) => half.shares.reduce((sum, shares) => sum + shares[j], 0));
  function parameterRows(state) {
    const now = shownOf(state).at(-1) ?? ownRun(state)[0];
    const counts = state.step ? countsOf(now) : null;
    const told = (value) => minus(formatNumber(value));
    const rows = [0, 1].map((j) => [j + 1, told(now.weights[j]), told(now.means[j]), told(now.variances[j]), counts ? told(counts[j]) : "–"]);
    return [...rows, [t("sum-column"), told(now.weights[0] + now.weights[1]), "", "", counts ? told(counts[0] + counts[1]) : "–"]];
  }

  // What the texts are filled with: the numbers of the whole run.
  function filled(state) {
    const signs = signsOf(state);
    const run = ownRun(state);
    const [first, end] = [run[1], run[run.length - 1]];
    const told = (value) => minus(formatPower(value));
    const pair = (name, values) => Object.fromEntries(values.map((value, j) => [name.replace("#", j + 1), told(value)]));
    return {
      first: told(signs["first-gap"]), last: told(signs["last-gap"]), gap: told(signs.gap), miss: told(signs.miss), print: told(signs.print),
      fall: told(signs.fall), fallm: told(signs["fall-m"]), end: fixed(signs.end), good: fixed(signs.good), high: told(signs.end - signs.good),
      n: Math.floor(runOf(state, "healthy").length / 2),
      ...pair("mu#", end.means), ...pair("v#", end.variances), ...pair("n#", countsOf(end)),
      ...pair("mu#a", first.means), ...pair("v#a", first.variances), ...pair("n#a", countsOf(first)),
    };
  }

  // The reply to the first question, from what this run shows.
  function replyTo(state) {
    const { miss, print, rows } = signsOf(state);
    const place = placeOf(state);
    const { where } = state;
    if (where === "m" && miss > CLINIC_ALIKE) return t(rows > CLINIC_ALIKE ? "not-m-shares" : "not-m-sound", filled(state));
    if (where === "around" && print > CLINIC_ALIKE) return t(`not-around-${place}`, filled(state));
    return t(`not-${where}`);
  }

  // -- drawing

  let listed = null;
  function drawList(state) {
    const key = `${state.case} ${state.solved}`;
    if (listed === key) return;
    listed = key;
    list.set(state.case, cases.map(({ difficulty }, n) => [n + 1, t(state.solved.includes(n + 1) ? "case-solved" : "case-option", { n: n + 1, all: cases.length, d: difficulty })]));
  }
  let offered = null;
  function drawCauses(place) {
    if (offered === place) return;
    offered = place;
    causeRow.replaceChildren(...places[place].map((name) => button(t(`cause-${name}`), () => answerCause(name))));
  }

  function draw(state) {
    const stage = stageOf(state);
    const place = placeOf(state);
    const truth = truthOf(state);
    const run = ownRun(state);
    const shown = shownOf(state);
    const now = shown.at(-1) ?? null;
    const wrong = stage === "cause" && state.cause;
    const others = wrong ? [{ run: runOf(state, state.cause), mended: false }] : state.mended ? [{ run: runOf(state, "healthy"), mended: true }] : [];

    drawList(state);
    put(complaint, t(`complaint-${truth}`));
    trace.show({ seen: shown, all: run, others });
    mixture.show(now ?? run[0], now?.shares);
    const cell = (text, n) => (n ? h("td", {}, String(text)) : h("th", { scope: "row" }, String(text)));
    parameters.replaceChildren(
      h("thead", {}, h("tr", {}, h("td", {}), ...CLINIC_PARAMETERS.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...parameterRows(state).map((line) => h("tr", {}, ...line.map(cell)))),
    );

    step.textContent = t(shown.length % 2 ? "step-m" : "step-e");
    setEnabled(step, shown.length < run.length);
    setEnabled(player.button, shown.length < run.length);
    setAttribute(step, "data-next", shown.length < CLINIC_LOOKED);
    walk.set(shown.length, { max: run.length });

    put(question, stage === "where" ? t("question-where") : stage === "cause" ? t(`right-${place}`) : "");
    placeRow.hidden = stage !== "where";
    Object.keys(places).forEach((name, n) => {
      setPressed(placeRow.children[n], name === state.where);
      setEnabled(placeRow.children[n], shown.length >= CLINIC_LOOKED);
    });
    drawCauses(place);
    causeRow.hidden = stage !== "cause";
    places[place].forEach((name, n) => setPressed(causeRow.children[n], name === state.cause));
    put(reply, wrong ? `${t(`would-${state.cause}`)} ${t("ghost")}` : stage === "where" && state.where ? replyTo(state) : "");
    const solved = stage === "solved";
    put(found, solved ? t(`found-${truth}`, filled(state)) : "");
    setAttribute(found, "data-verdict", solved ? "works" : null);
    const lines = solved && hasLine(state);
    setAttribute(code, "aria-label", t(place === "sound" ? "line-sound" : "line"));
    code.hidden = !lines;
    if (lines) code.replaceChildren(...causes[truth].flatMap(([right, wrong]) => [h("del", {}, `− ${wrong}`), h("ins", {}, `+ ${right}`)]));
    afterRow.hidden = !solved;
    mend.hidden = !lines;
    mend.textContent = t(place === "sound" ? "mend-sound" : "mend");
    setPressed(mend, state.mended);
    put(compared, state.mended ? t("mended", filled(state)) : solved && state.solved.length === cases.length ? t("all-solved") : "");

    const json = (value) => JSON.stringify(value);
    ex.data({
      case: state.case, step: shown.length, of: run.length, stage, where: state.where, cause: state.cause, mended: String(state.mended), solved: state.solved.length,
      half: now ? now.step : null,
      "log-likelihood": (now ?? run[0]).logLikelihood, bound: now ? now.bound : null, printed: now ? now.printed : null,
      weights: json((now ?? run[0]).weights), means: json((now ?? run[0]).means), variances: json((now ?? run[0]).variances),
      responsibilities: now ? json(now.shares) : null,
    });
    tell(state, shown, run);
  }

  function moved(by) {
    return t(Math.abs(by) < CLINIC_ALIKE ? "still" : by > 0 ? "up" : "down", { by: fixed(Math.abs(by)) });
  }
  function tell(state, shown, run) {
    const now = shown.at(-1);
    if (!now) return ex.tell(t("status-start", { n: state.case, l: fixed(run[0].logLikelihood) }));
    const words = { t: iterationOf(shown.length), l: fixed(now.logLikelihood), b: fixed(now.bound), end: shown.length === run.length ? t("stopped") : "" };
    if (now.step === "m") {
      const before = shown[shown.length - 2];
      return ex.tell(t("status-m", { ...words, dl: moved(now.logLikelihood - before.logLikelihood), db: moved(now.bound - before.bound) }));
    }
    const gap = now.logLikelihood - now.bound;
    const told = t(Math.abs(gap) < CLINIC_ALIKE ? "meet" : gap > 0 ? "below" : "above", { gap: fixed(Math.abs(gap)) });
    return ex.tell(t("status-e", { ...words, gap: told, printed: now.printed === null ? t("no-print") : fixed(now.printed) }));
  }

  return ex.start();
}

export default { render };
