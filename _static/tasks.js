// Takes the steps of a task into the explorer below it: see _ext/tasks.py for what stands in the page. A classic
// script in the head, so that one step is at hand before anything is painted, also from file://.
(function () {
  "use strict";
  const tasks = []; // of the page
  window.tasks = { wake, forget: () => tasks.forEach((task) => task.forget()) };

  // A condition as _ext/tasks.py compiles it: a plain value, or an operation and what it is of.
  const comparing = (compare) => (a, b) => a !== null && b !== null && compare(a, b);
  const OPERATIONS = {
    and: (...all) => all.every(Boolean),
    or: (...all) => all.some(Boolean),
    not: (a) => !a,
    "==": (a, b) => a === b,
    "!=": (a, b) => a !== b,
    "<": comparing((a, b) => a < b),
    "<=": comparing((a, b) => a <= b),
    ">": comparing((a, b) => a > b),
    ">=": comparing((a, b) => a >= b),
    "+": (a, b) => a + b,
    "-": (a, b) => a - b,
    min: (list) => (list ? Math.min(...list.flat(Infinity)) : null),
    max: (list) => (list ? Math.max(...list.flat(Infinity)) : null),
  };
  /** @returns {any} what an explorer tells as data-… of its root: a number, a text, true, a list; null if nothing */
  function told(root, name) {
    const text = root?.getAttribute(`data-${name.replaceAll("_", "-")}`) ?? null;
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  const isAnswered = (name) => document.getElementById(name)?.dataset.told === "true";
  function holds(condition, root) {
    if (!Array.isArray(condition)) return condition;
    const [operation, ...of] = condition;
    if (operation === "value") return told(root, of[0]);
    if (operation === "answered") return isAnswered(of[0]);
    return OPERATIONS[operation](...of.map((each) => holds(each, root)));
  }

  /** Called by the page as soon as a task has been read. */
  function wake(box) {
    try {
      tasks.push(start(box));
    } catch (error) {
      console.error(error); // the list is there all the same
    }
  }

  function start(box) {
    const { make, kept: { read, write } } = window.questions;
    const { key, conditions, words } = JSON.parse(box.querySelector(":scope > .task-data").textContent);
    const tell = (name, values = {}) => words[name].replace(/{(\w+)}/g, (_, each) => values[each]);
    const button = (name, onclick) => make("button", { type: "button", onclick }, tell(name));
    const steps = [...box.querySelector(":scope > ol").children];
    const of = steps.length;
    const textOf = (n) => window.formulas.textOf(steps[n].firstElementChild);

    // What became of each step, "done" or "skipped"; the step on show; of the one at hand, how far each part has come.
    let states = [];
    let at = 0;
    let come = [];
    let early = false; // whether the step at hand was done before its time
    let host = null;
    let root = null; // the explorer's, once it is alive
    const open = () => steps.findIndex((_, n) => !states[n]); // the step at hand; -1 when none is left
    const done = () => states.filter((state) => state === "done").length;

    const place = make("span", { class: "task-at" });
    const onward = button("next", next);
    const whole = button("all", () => showAll(!("all" in box.dataset)));
    const over = button("over", startOver);
    const press = make("div", { class: "press task-press" }, onward, whole, over);
    const said = make("p", { class: "visually-hidden", role: "status" });
    const marker = document.createComment("the task stands here");
    box.firstElementChild.append(" ", place);
    box.firstElementChild.after(press);
    box.append(said);
    box.before(marker);
    box.dataset.led = "true"; // from here on the style shows one step

    function show() {
      const left = open();
      place.textContent = left < 0 ? tell("finished", { done: done(), of }) : tell(states[at] === "done" ? "at-done" : "at", { n: at + 1, of });
      steps.forEach((step, n) => {
        if (n === at) step.setAttribute("aria-current", "step");
        else step.removeAttribute("aria-current");
        step.classList.toggle("done", states[n] === "done");
      });
      if (left < 0 && document.activeElement === onward) over.focus({ preventScroll: true });
      onward.hidden = left < 0;
      onward.textContent = tell(states[at] ? "next" : "skip");
      onward.classList.toggle("ready", states[at] === "done");
    }

    function showAll(all) {
      box.toggleAttribute("data-all", all);
      whole.setAttribute("aria-pressed", String(all));
    }

    const keep = () => write(key, { states, at });

    /** Whether step `n`, the one at hand, is done now: each part of its condition has come to its end. */
    function met(n) {
      conditions[n].forEach((part, index) => {
        come[index] ??= 0;
        if (come[index] < part.length && holds(part[come[index]], root)) come[index] += 1;
      });
      return conditions[n].every((part, index) => come[index] >= part.length);
    }

    /** Asked after every change of what the explorer tells. What was done before its step waits until the step comes. */
    function look() {
      const n = open();
      if (n < 0 || (early && n !== at) || !met(n)) return;
      states[n] = "done";
      at = n;
      come = [];
      keep();
      show();
      const after = open();
      early = after >= 0 && met(after);
      said.textContent = tell("said-done", { n: n + 1, of }) + " " + (after < 0 ? tell("said-last") : tell("said-next", { step: textOf(after) }));
    }

    // On to the next step; one that is not done is skipped.
    function next() {
      if (!states[at]) states[at] = "skipped";
      come = [];
      if (open() >= 0) at = open();
      keep();
      show();
      said.textContent = open() < 0 ? tell("said-last") : tell("said-at", { n: at + 1, of, step: textOf(at) });
      look();
      if (!root?.contains(box)) box.scrollIntoView({ block: "nearest" });
    }

    function forget() {
      states = [];
      at = 0;
      come = [];
      showAll(false);
      show();
    }

    // From the first step, and the explorer from where it stood when the page came; Undo in it goes back.
    function startOver() {
      forget();
      keep();
      if (host?.explorerModel) {
        host.explorerModel.set(JSON.parse(host.querySelector(".explorer-state").textContent));
        host.explorerModel.save_changes();
      }
      said.textContent = tell("said-at", { n: 1, of, step: textOf(0) });
    }

    // In projector mode the explorer is alone on the screen: the task goes with it.
    function follow() {
      const alone = root.hasAttribute("data-projector");
      if (alone && !root.contains(box)) root.prepend(box);
      else if (!alone && root.contains(box)) marker.after(box);
    }

    function meet() {
      root = host.querySelector("[data-explorer]");
      new MutationObserver(() => {
        follow();
        look();
      }).observe(root, { attributes: true });
    }
    function find() {
      host = box.nextElementSibling?.querySelector(".explorer-host");
      if (!host) return;
      if (host.dataset.alive) meet();
      else {
        const waiting = new MutationObserver(() => {
          if (!host.dataset.alive) return;
          waiting.disconnect();
          meet();
        });
        waiting.observe(host, { attributes: true, attributeFilter: ["data-alive"] });
      }
    }
    const asked = box.querySelectorAll(".question");
    const answers = new MutationObserver(look);
    for (const question of asked) answers.observe(question, { attributes: true, attributeFilter: ["data-told"] });

    // A link to a question inside a step shows it.
    const uncover = () => {
      const target = document.getElementById(location.hash.slice(1));
      if (!target?.closest("li") || !box.contains(target)) return;
      showAll(true);
      target.scrollIntoView();
    };
    window.addEventListener("hashchange", uncover);
    document.addEventListener("DOMContentLoaded", () => {
      find();
      uncover();
    });

    const kept = read(key);
    if (Array.isArray(kept.states) && kept.states.length <= of && Number.isInteger(kept.at) && kept.at in steps) {
      states = kept.states.map((state) => (state === "done" || state === "skipped" ? state : null));
      at = states[kept.at] || kept.at === open() ? kept.at : Math.max(open(), 0);
    }
    showAll(false);
    show();
    return { forget };
  }
})();
