// Makes the questions of a page live: see _ext/questions.py for what stands in the page. A classic
// script in the head, so that it covers what is covered before anything is painted, also from file://.
(function () {
  "use strict";
  const root = document.documentElement;
  root.dataset.asks = "true"; // from here on the style covers
  const STORE = "gmm-book/answers/"; // + page + "/" + digest of the question
  const asked = []; // the questions of the page, in its order
  let page, words, summary;
  window.questions = { wake, make, kept: { read: (key) => read(STORE + key), write: (key, value) => write(STORE + key, value) } };

  // Answers stay in this browser; where it keeps nothing, until the page is left.
  const memory = {};
  const kept = () => {
    try {
      return window.localStorage ?? memory;
    } catch {
      return memory;
    }
  };
  function read(key) {
    try {
      return JSON.parse(kept()[key] ?? "null") ?? {};
    } catch {
      return {};
    }
  }
  function write(key, value) {
    try {
      kept()[key] = JSON.stringify(value);
    } catch {
      // The store is full: the answer stands in the page all the same.
    }
  }

  function make(tag, attributes = {}, ...content) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...content);
    return element;
  }
  const tell = (key, values = {}) => words[key].replace(/{(\w+)}/g, (_, name) => values[name]);
  const button = (key, onclick) => make("button", { type: "button", onclick }, tell(key));
  /** A copy of what stands in an element. */
  function copy(element) {
    const clone = element.cloneNode(true);
    clone.querySelectorAll(".right-sign").forEach((sign) => sign.remove());
    clone.querySelectorAll("[id]").forEach((each) => each.removeAttribute("id"));
    return [...clone.childNodes];
  }
  /** The number a reader wrote: ".41", "0,41", "-3", "3/7", "41%"; NaN if it is none. */
  function number(text) {
    const plain = text.trim().replace(/[−–]/, "-").replace(/^([^.,]*),([^.,]*)$/, "$1.$2");
    const part = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(?:(%)|\/\s*(\d+\.?\d*|\.\d+))?$/i.exec(plain);
    return part ? Number(part[1]) / (part[2] ? 100 : Number(part[3] ?? 1)) : NaN;
  }

  // A kind builds its fields, reads the answer (null: none yet), writes one back, and judges it:
  // which replies answer it, each with a line before it that says what it is about.
  const boxes = (type) => (question) => {
    for (const [index, item] of question.items.entries()) {
      const text = make("span", {}, ...item.firstElementChild.childNodes);
      const input = make("input", { type, name: question.id, value: index });
      item.replaceChildren(make("label", {}, input, text));
    }
    const inputs = question.items.map((item) => item.querySelector("input"));
    return {
      read() {
        const chosen = inputs.flatMap((input, index) => (input.checked ? [index] : []));
        return chosen.length ? chosen : null;
      },
      write: (answer) => inputs.forEach((input, index) => (input.checked = !!answer?.includes(index))),
    };
  };
  const kinds = {
    one: {
      build: boxes("radio"),
      judge: ({ right }, [chosen]) => ({ right: chosen === right[0], said: [[chosen]] }),
    },
    many: {
      build: boxes("checkbox"),
      judge({ right, items }, chosen) {
        const line = (key) => (index) => [index, tell(key), ...copy(items[index].querySelector("span"))];
        const ticked = chosen.filter((index) => !right.includes(index)).map(line("ticked"));
        const missed = right.filter((index) => !chosen.includes(index)).map(line("missed"));
        const off = [...ticked, ...missed];
        return { right: !off.length, said: off.length ? off : right.map((index) => [index]) };
      },
    },
    number: {
      build(question) {
        const attributes = { inputmode: "decimal", autocomplete: "off", "aria-labelledby": question.legend.id };
        const input = make("input", { type: "text", ...attributes });
        question.fields.append(input);
        return {
          read: () => (Number.isFinite(number(input.value)) ? [input.value.trim()] : null),
          write: (answer) => (input.value = answer?.[0] ?? ""),
          missing: () => (input.value.trim() ? "unreadable" : "choose"),
        };
      },
      judge({ right, numbers }, [text]) {
        const off = (given) => Math.abs(number(text) - given[0]) - given[1] * (1 + 1e-9);
        const found = numbers.findIndex((given) => !given || off(given) <= 0);
        return { right: found === right[0], said: [[found]] };
      },
    },
    order: {
      build(question) {
        const { items } = question;
        const list = items[0].parentElement;
        const now = () => [...list.children].map((item) => items.indexOf(item));
        const move = (item, by, pressed) => {
          const place = [...list.children].indexOf(item) + by;
          if (place < 0 || place >= items.length) return;
          list.insertBefore(item, by < 0 ? list.children[place] : list.children[place + 1] ?? null);
          pressed.focus(); // what is moved loses it
          question.say(tell("moved", { place: place + 1, of: items.length }));
        };
        for (const [index, item] of items.entries()) {
          const text = make("span", { id: `${question.id}-${index}` }, ...item.firstElementChild.childNodes);
          const arrow = (key, sign, by) => {
            const id = `${question.id}-${index}-${key}`;
            const name = { id, "aria-label": tell(key), "aria-labelledby": `${id} ${text.id}` };
            const onclick = (event) => move(item, by, event.currentTarget);
            return make("button", { type: "button", class: `arrow-${key}`, ...name, onclick }, sign);
          };
          item.replaceChildren(text, arrow("up", "↑", -1), arrow("down", "↓", 1));
        }
        return {
          read: now,
          write: (answer) =>
            (answer ?? items.map((_, index) => index)).forEach((index) => list.insertBefore(items[index], null)),
        };
      },
      judge({ right }, answer) {
        const place = answer.findIndex((index, n) => index !== right[n]);
        if (place < 0) return { right: true, said: right.map((_, n) => [n, tell("place", { place: n + 1 })]) };
        return { right: false, said: [[place, tell("look", { place: place + 1 })]] };
      },
    },
  };

  /** Called by the page as soon as a question and what it covers have been read. */
  function wake(id) {
    const box = document.getElementById(id);
    const cover = document.getElementById(`${id}-cover`);
    try {
      if (!words) ({ page, words } = JSON.parse(document.querySelector(".questions-data").textContent));
      start(box, cover);
    } catch (error) {
      console.error(error);
      open(box, cover); // a question that cannot be asked hides nothing
    }
  }

  function open(box, cover) {
    box.dataset.told = "true";
    if (cover) cover.dataset.open = "true";
  }

  function start(box, cover) {
    const data = JSON.parse(box.querySelector(":scope > .question-data").textContent);
    const title = window.formulas.textOf(box.querySelector(":scope > .admonition-title"));
    const details = box.querySelector(":scope > .replies");
    const replies = [...details.querySelector("ol").children];
    const list = data.kind === "number" ? null : details.previousElementSibling;
    const kind = kinds[data.kind];
    const key = `${STORE}${page}/${data.digest}`;

    const about = make("span", { class: "visually-hidden" }, `: ${title}`);
    const legend = make("legend", { id: `${box.id}-legend` }, tell(data.kind), about);
    const fields = make("fieldset", {}, legend);
    const moved = make("p", { class: "visually-hidden", role: "status" });
    const reply = make("div", { class: "reply", role: "status" });
    const say = (text) => (moved.textContent = text);
    const skip = button(cover ? "show" : "skip", () => commit(null));
    const form = make("form", { novalidate: "", onsubmit }, fields, make("div", { class: "press" }));
    form.lastChild.append(make("button", { type: "submit" }, tell("answer")), skip);
    details.before(form, reply, moved);
    if (list) fields.append(list);
    const question = { ...data, id: box.id, items: list ? [...list.children] : [], fields, legend, say };
    const field = kind.build(question);
    const note = make("p", { class: "cover-note" }, tell("covered"));
    cover?.before(note);

    function onsubmit(event) {
      event.preventDefault();
      const answer = field.read();
      if (answer) commit(answer);
      else reply.replaceChildren(make("p", {}, tell(field.missing?.() ?? "choose")));
    }

    function commit(answer) {
      write(key, { answer, shown: !answer });
      if (cover && !cover.dataset.open) cover.dataset.fresh = "true"; // the style lets it appear slowly
      show(answer);
      if (!answer) (cover ?? details.firstElementChild).focus({ preventScroll: true });
      sum();
    }

    /** Show what comes after this answer (null: shown without one). */
    function show(answer) {
      const judged = answer && kind.judge(question, answer);
      entry.state = judged ? (judged.right ? "right" : "wrong") : "shown";
      open(box, cover);
      note.hidden = skip.hidden = true;
      details.open = !answer && !cover;
      question.items.forEach((item, index) =>
        item.classList.toggle("yours", data.kind !== "order" && !!answer?.includes(index)),
      );
      reply.replaceChildren();
      if (!judged) return;
      const sign = make("span", { "aria-hidden": "true" }, judged.right ? "✓ " : "✗ ");
      const verdict = make("p", { class: "verdict" }, sign, tell(judged.right ? "right" : "wrong"));
      if (data.kind === "number") verdict.append(" ", tell("yours", { answer: answer[0] }));
      reply.append(verdict);
      for (const [index, ...head] of judged.said) {
        if (head.length) reply.append(make("p", { class: "about" }, ...head));
        reply.append(...copy(replies[index]));
      }
    }

    /** As if the reader had never been here. */
    function reset() {
      delete box.dataset.told;
      delete cover?.dataset.open;
      note.hidden = skip.hidden = details.open = false;
      entry.state = null;
      field.write(null);
      question.items.forEach((item) => item.classList.remove("yours"));
      reply.replaceChildren();
    }

    const entry = { box, title, state: null, cover, reset, uncover: () => commit(null) };
    asked.push(entry);
    cover?.setAttribute("tabindex", "-1");
    const { answer, shown } = read(key);
    try {
      if (Array.isArray(answer)) field.write(answer);
      if (shown) show(null);
      else if (answer && field.read()) show(field.read());
    } catch {
      reset(); // what was kept is not from here
    }
    uncoverTarget();
  }

  /** A link into what is covered, also one to the state of an explorer, shows it. */
  function uncoverTarget() {
    const [name, state] = location.hash.slice(1).split("=");
    let target = null;
    try {
      target = state
        ? [...document.querySelectorAll(".cover .explorer-host")].find((host) => anchors(host).includes(name))
        : document.getElementById(decodeURIComponent(name));
    } catch {
      return; // what names nothing
    }
    const hidden = asked.filter(({ cover }) => cover && !cover.dataset.open && cover.contains(target ?? null));
    hidden.forEach((each) => each.uncover());
    if (!hidden.length) return;
    if (state) window.explorerHost.start(target); // which then takes its state from the link
    else if (document.readyState !== "loading") target.scrollIntoView();
  }
  const anchors = (host) => [host.dataset.kind, JSON.parse(host.querySelector(".explorer-state").textContent).anchor];
  window.addEventListener("hashchange", uncoverTarget);

  /** At the end of the page: how much was asked, what deserves another look, how to forget. */
  function sum() {
    if (!summary) return;
    const those = (state) => asked.filter((each) => each.state === state);
    const answered = those("right").length + those("wrong").length;
    const lines = [make("p", {}, tell("asked", { asked: asked.length, answered }))];
    const links = (key, questions) => {
      if (!questions.length) return;
      const items = questions.map(({ box, title }) => make("li", {}, make("a", { href: `#${box.id}` }, title)));
      lines.push(make("p", {}, tell(key)), make("ul", {}, ...items));
    };
    links("again", asked.filter(({ state }) => state === "wrong" || state === "shown"));
    links("open", those(null).slice(0, 1));
    summary.replaceChildren(...lines);
  }

  function clear(prefix) {
    for (const key of Object.keys(kept())) if (key.startsWith(prefix)) delete kept()[key];
    asked.forEach((each) => each.reset());
    window.tasks?.forget();
    sum();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const last = document.querySelector(".bd-article > section, article > section, main > section");
    if (!asked.length || !last) return;
    summary = make("div", {});
    const status = make("span", { role: "status" });
    const forgetting = (key, prefix) =>
      button(key, (event) => {
        clear(prefix());
        status.textContent = tell("forgotten");
        event.currentTarget.scrollIntoView({ block: "nearest" });
      });
    const press = make("div", { class: "press" }, forgetting("forget-page", () => `${STORE}${page}/`));
    press.append(forgetting("forget-book", () => STORE), status);
    const name = make("p", { class: "admonition-title", id: "questions-asked" }, tell("title"));
    const named = { class: "admonition questions-asked", "aria-labelledby": name.id };
    last.append(make("section", named, name, summary, make("p", { class: "kept" }, tell("kept")), press));
    sum();
  });
})();
