// Python in the page, as a reader meets it: cells that can be edited and run where they stand.
//
// Loaded when a reader first presses Run or Edit, or has edited something here before; nothing runs
// and nothing is fetched before a press. `pagePython` is made by _static/run.js, which says where
// things are; the cells of the page, hidden ones too, come from a file of their own.
(function () {
  "use strict";
  const { base, page, words, file, load } = window.pagePython;
  const { cells, parts, worker: workerText } = window.pagePython;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // ------------------------------------------------------------------------------- what is kept

  const keyOf = (cell) => `python ${page} ${cell.index}`;
  const kept = {
    get: (cell) => {
      try {
        return localStorage.getItem(keyOf(cell));
      } catch {
        return null; // no storage here: edits last as long as the page
      }
    },
    set: (cell, text) => {
      try {
        if (text === null) localStorage.removeItem(keyOf(cell));
        else localStorage.setItem(keyOf(cell), text);
      } catch {
        // the same
      }
    },
  };

  // --------------------------------------------------------------------------------- the machine

  let machine = null; // {worker, ready: promise} once started
  let running = null; // {doing, out, say, end} while a cell runs
  const ran = new Set();
  const explorers = new Map(); // model id -> explorer's model in the page

  /** What stands in scripts is decoded where it arrives, chunk by chunk. */
  const scripts = {}; // part -> [bytes, …], for a second start
  window.pagePython.receive = (part, number, text) => {
    (scripts[part] ??= [])[number] = decode(text);
  };
  function decode(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
    return bytes;
  }

  /** Send a part to the worker from scripts; the page answers the reader between two of them. */
  async function sendScripts(worker, part) {
    const count = parts.parts[part].scripts;
    for (let number = 0; number < count; number += 1) {
      if (!scripts[part]?.[number]) await load(`${base}${part}.${number}.js`);
      worker.postMessage({ part, bytes: scripts[part][number], last: number === count - 1 });
    }
  }

  function startMachine() {
    const url = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
    const worker = new Worker(url);
    URL.revokeObjectURL(url);
    let tell;
    const ready = new Promise((resolve, reject) => (tell = { resolve, reject }));
    machine = { worker, ready, tell };
    worker.onmessage = ({ data }) => machine?.worker === worker && hear(data);
    worker.onerror = (event) => {
      if (machine?.worker === worker) hear({ kind: "failed", message: event.message || "worker" });
    };
    const later = {};
    for (const name of parts.later) later[name] = [...(parts.needs[name] ?? []), name];
    worker.postMessage({ boot: { home: file ? null : base, later } });
    if (file) parts.first.forEach((part) => sendScripts(worker, part).catch(tell.reject));
    ready.catch(() => endMachine()); // a press tries again
    return ready;
  }

  function endMachine() {
    machine?.worker.terminate();
    machine = null;
    ran.clear();
    explorers.clear();
    document.querySelectorAll(".py-ran").forEach((each) => each.classList.remove("py-ran"));
  }

  function hear(message) {
    const { kind } = message;
    if (kind === "ready") machine.tell.resolve();
    else if (kind === "failed" && !running?.end) machine.tell.reject(new Error(message.message));
    else if (kind === "failed") running.end({ kind: "page", message: message.message, trace: "" });
    else if (kind === "done") running.end(message.answer);
    else if (kind === "loading") {
      const size = megabytes([message.part]);
      running.say(fill(words.package, { name: message.part, size }));
      if (file) sendScripts(machine.worker, message.part);
    } else if (kind === "loaded") {
      running.say(running.doing);
    } else if (kind === "traits") {
      const model = explorers.get(message.model);
      if (model) {
        model.hearing = true;
        model.set(message.state);
        model.hearing = false;
      }
    } else if (kind === "taken") {
      explorers.get(message.model)?.taken(message.failure);
    } else running?.out?.(message);
  }

  const megabytes = (names) =>
    Math.round(names.reduce((sum, name) => sum + parts.parts[name].bytes, 0) / 1e6);

  /** Ask the worker for something; resolves to its answer, or to how it failed. */
  function ask(question, hearing) {
    return new Promise((resolve) => {
      const end = (answer) => {
        running = null;
        resolve(answer);
      };
      running = { ...hearing, end };
      machine.worker.postMessage(question);
    });
  }

  /** Run one cell in the worker; resolves to null or to how it failed. */
  function runInWorker(cell, { shown, ...hearing }) {
    return ask({ run: { cell: cell.index, source: cell.source(), shown } }, hearing);
  }

  // -------------------------------------------------------------------------------- coloring code

  const TOKENS = new RegExp(
    [
      /(?<c1>#[^\n]*)/,
      /(?<s2>[rbfRBF]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))/,
      /(?<mf>\b\d[\w.]*|\.\d+)/,
      /(?<k>\b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)\b)/,
      /(?<kc>\b(?:None|True|False)\b)/,
      /(?<nb>\b(?:abs|all|any|dict|enumerate|float|int|len|list|max|min|print|range|reversed|round|set|sorted|sum|tuple|zip)\b(?=\())/,
    ]
      .map((each) => each.source)
      .join("|"),
    "g",
  );

  /** Python as a fragment of colored spans, in the classes of the book's listings. */
  function colored(text) {
    const fragment = document.createDocumentFragment();
    let end = 0;
    for (const found of text.matchAll(TOKENS)) {
      const [name] = Object.entries(found.groups).find(([, value]) => value !== undefined);
      fragment.append(text.slice(end, found.index));
      fragment.append(make("span", { className: name, textContent: found[0] }));
      end = found.index + found[0].length;
    }
    fragment.append(text.slice(end) + "\n");
    return fragment;
  }

  // ------------------------------------------------------------------------------------ the editor

  /** Type `text` over the selection so that the browser's undo knows of it. */
  function type(area, text) {
    if (!document.execCommand?.("insertText", false, text)) {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  /** Replace the lines that the selection touches by `change` of each. */
  function changeLines(area, change) {
    const { value, selectionStart, selectionEnd } = area;
    const from = value.lastIndexOf("\n", selectionStart - 1) + 1;
    const after = value.indexOf("\n", selectionEnd);
    const to = after < 0 ? value.length : after;
    const lines = value.slice(from, to).split("\n").map(change).join("\n");
    area.setSelectionRange(from, to);
    type(area, lines);
    if (selectionStart === selectionEnd) {
      const moved = selectionStart + lines.length - (to - from);
      area.setSelectionRange(Math.max(from, moved), Math.max(from, moved));
    } else {
      area.setSelectionRange(from, from + lines.length);
    }
  }

  const dedented = (line) => line.replace(/^ {1,4}/, "");
  const indented = (line) => (line ? `    ${line}` : line);
  const toggled = (line) =>
    /^\s*#/.test(line) ? line.replace(/# ?/, "") : line.replace(/^(\s*)(?=\S)/, "$1# ");

  function onKey(event, cell) {
    const area = event.target;
    const command = event.ctrlKey || event.metaKey;
    const selected = area.selectionStart !== area.selectionEnd;
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.shiftKey || command)) {
      run(cell);
      if (event.shiftKey) nextCell(cell)?.focus();
    } else if (event.key === "Tab" && !area.dataset.leaving) {
      if (event.shiftKey) changeLines(area, dedented);
      else if (selected) changeLines(area, indented);
      else type(area, " ".repeat(4 - (column(area) % 4)));
    } else if (event.key === "Enter" && !event.altKey) {
      const line = area.value.slice(area.value.lastIndexOf("\n", area.selectionStart - 1) + 1, area.selectionStart);
      type(area, `\n${line.match(/^ */)[0]}${/:\s*(#.*)?$/.test(line) ? "    " : ""}`);
    } else if (event.key === "/" && command) {
      changeLines(area, toggled);
    } else if (event.key === "Escape") {
      area.dataset.leaving = "true"; // so that Tab leads on from here
      return;
    } else {
      if (event.key !== "Tab" && event.key !== "Shift") delete area.dataset.leaving;
      return;
    }
    event.preventDefault();
  }

  const column = (area) =>
    area.selectionStart - (area.value.lastIndexOf("\n", area.selectionStart - 1) + 1);

  /** Lay a text area over the listing: what is typed is transparent, what is seen is the listing. */
  function openEditor(cell) {
    if (cell.area) return cell.area;
    const pre = cell.listing;
    const area = make("textarea", {
      className: "py-area",
      spellcheck: false,
      autocapitalize: "off",
      autocomplete: "off",
      wrap: "off",
      value: cell.text ?? cell.book,
    });
    area.setAttribute("aria-label", fill(words.code, { number: cell.number }));
    area.setAttribute("aria-description", words.keys);
    const paint = () => pre.replaceChildren(colored(area.value));
    area.addEventListener("input", () => {
      cell.text = area.value === cell.book ? null : area.value;
      kept.set(cell, cell.text);
      paint();
      refresh(cell);
    });
    area.addEventListener("keydown", (event) => onKey(event, cell));
    area.addEventListener("scroll", () => {
      pre.scrollLeft = area.scrollLeft;
    });
    area.addEventListener("blur", () => delete area.dataset.leaving);
    pre.parentElement.classList.add("py-editor");
    pre.setAttribute("aria-hidden", "true");
    pre.tabIndex = -1;
    pre.after(area);
    cell.area = area;
    paint();
    return area;
  }

  function focusEditor(cell) {
    const area = openEditor(cell);
    area.focus({ preventScroll: true });
    area.scrollIntoView({ block: "nearest" });
  }

  /** The book's version again: text and output as they were printed. */
  function restore(cell) {
    cell.text = null;
    kept.set(cell, null);
    const area = openEditor(cell);
    area.value = cell.book;
    area.dispatchEvent(new Event("input"));
    cell.output?.replaceChildren(...cell.printed);
    cell.element.classList.remove("py-own");
    say(cell, words.restored);
    area.focus({ preventScroll: true });
  }

  const nextCell = (cell) => {
    const below = shownCells.slice(shownCells.indexOf(cell) + 1);
    const seen = { visibilityProperty: true }; // not in a fold
    const next = below.find((each) => each.listing.checkVisibility(seen));
    return next && openEditor(next);
  };

  // -------------------------------------------------------------------------------------- output

  /** Where a cell's output stands; made where the book's had none. */
  function outputOf(cell) {
    if (!cell.output) {
      cell.output = cell.element.querySelector(".cell_output"); // perhaps in a fold, with its listing
      if (!cell.output) {
        cell.output = make("div", { className: "cell_output docutils container" });
        cell.element.append(cell.output);
      }
      cell.printed = [...cell.output.childNodes];
    }
    return cell.output;
  }

  const listing = (text, kind) =>
    make(
      "div",
      { className: `output ${kind} highlight-myst-ansi notranslate` },
      make("div", { className: "highlight" }, make("pre", { textContent: text, tabIndex: 0 })),
    );

  /** A function that puts messages of the kernel below a cell. */
  function printer(cell) {
    const place = outputOf(cell);
    let begun = false;
    let stream = null;
    const begin = () => {
      if (begun) return;
      begun = true;
      place.style.minHeight = `${place.offsetHeight}px`; // the page below does not jump
      place.replaceChildren();
      cell.element.classList.add("py-own");
    };
    const add = (element) => {
      stream = null;
      place.append(element);
      return element;
    };
    return {
      end: () => {
        begin();
        place.style.minHeight = "";
      },
      failure: (failure) => {
        begin();
        add(errorOf(failure, cell));
      },
      message: ({ kind, name, text, data }) => {
        begin();
        if (kind === "clear") {
          place.replaceChildren();
          stream = null;
        } else if (kind === "stream") {
          if (stream?.name !== name) {
            const box = add(listing("", name === "stderr" ? "stderr" : "stream"));
            stream = { name, pre: box.querySelector("pre") };
          }
          stream.pre.append(text);
        } else if (kind === "display") {
          const shown = display(data, cell);
          if (shown) add(shown);
          shown?.onshown?.();
        }
      },
    };
  }

  function display(data, cell) {
    if (data.explorer) return explorerOf(data.explorer, cell);
    if (data.note) return make("p", { className: "live-only", textContent: words[data.note] });
    if (data["text/html"]) {
      const box = make("div", { className: "output text_html", innerHTML: data["text/html"] });
      box.querySelectorAll("table").forEach((table) => table.classList.add("table"));
      return box;
    }
    if (data["image/png"]) {
      const image = make("img", { src: `data:image/png;base64,${data["image/png"]}`, alt: words.figure });
      image.onload = () => {
        image.width = image.naturalWidth / (data.scale ?? 1);
      };
      return make("div", { className: "output image_png" }, image);
    }
    return data["text/plain"] === undefined ? null : listing(data["text/plain"], "text_plain");
  }

  function explorerOf({ model, esm, css, state }, cell) {
    const box = make("div", { className: "explorer-host" });
    box.onshown = async () => {
      const made = await window.explorerHost.show(box, { esm, css, state });
      explorers.set(model, made);
      // What Python could not do with the last thing that the reader did here.
      made.taken = (failure) => {
        box.querySelector(".py-error")?.remove();
        if (failure) box.append(errorOf(failure, cell));
      };
      made.on("change", () => {
        if (made.hearing || !machine) return;
        machine.worker.postMessage({ traits: { model, state: made.state() } });
      });
    };
    return box;
  }

  /** What went wrong, in a reader's terms: their line, the message, what it often means. */
  function errorOf(failure, cell) {
    const box = make("div", { className: "output py-error" });
    box.setAttribute("role", "alert");
    if (failure.kind === "page" || failure.missing) {
      const text = failure.missing ? fill(words.unavailable, { name: failure.missing }) : fill(words.broken, failure);
      box.append(make("p", { textContent: text }));
      return box;
    }
    const where = make("p", {}, make("strong", { textContent: failure.kind }));
    if (failure.line) {
      const own = failure.cell === String(cell.index);
      const line = fill(own ? words.line : words.lineAbove, { line: failure.line });
      where.append(` ${line} `, make("code", { textContent: failure.text }));
    }
    box.append(where);
    if (failure.message) box.append(make("p", { className: "py-message", textContent: failure.message }));
    if (failure.meaning) box.append(make("p", { textContent: words.meanings[failure.meaning] }));
    if (failure.trace) {
      const pre = make("pre", { textContent: failure.trace, tabIndex: 0 });
      box.append(make("details", {}, make("summary", { textContent: words.trace }), pre));
    }
    return box;
  }

  // ------------------------------------------------------------------------------------- running

  function say(cell, text) {
    if (cell.status) cell.status.textContent = text;
  }

  function refresh(cell) {
    const busy = running !== null || starting;
    if (!cell.bar) return;
    cell.runButton.hidden = busy && cell === active;
    cell.runButton.disabled = busy;
    cell.stopButton.hidden = !(busy && cell === active);
    cell.restoreButton.hidden = cell.text === null && !cell.element.classList.contains("py-own");
  }

  const refreshAll = () => shownCells.forEach(refresh);
  let active = null; // the cell whose button was pressed
  let starting = false;
  let stopped = false;

  async function run(cell) {
    if (active) return; // one at a time; Stop is there
    active = cell;
    stopped = false;
    say(cell, "");
    starting = true;
    const pressed = document.activeElement === cell.runButton;
    refreshAll();
    if (pressed) cell.stopButton.focus({ preventScroll: true }); // it stands in the same place
    try {
      if (!machine) {
        say(cell, fill(words.starting, { size: megabytes(parts.first) }));
        startMachine();
      }
      await machine.ready;
      starting = false;
      await runUpTo(cell);
    } catch (error) {
      if (!stopped) printer(cell).failure({ kind: "page", message: error.message });
      say(cell, stopped ? words.stopped : "");
    }
    active = null;
    starting = false;
    refreshAll();
    const { activeElement } = document;
    if (pressed && (activeElement === document.body || activeElement === cell.stopButton)) {
      cell.runButton.focus({ preventScroll: true });
    }
  }

  /** The names that a cell may need of others; of a reader's own text Python tells them. */
  async function needsOf(cell) {
    if (cell.text === null || stopped) return cell.needs;
    const names = await ask({ names: cell.text });
    return Array.isArray(names) ? names : [];
  }

  /**
   * The cells above `cell` that must run for it: a leaf only if it makes a name that is needed. A
   * reader's own text is no leaf. (See needed.py.)
   */
  async function neededAbove(cell) {
    const needed = [];
    const names = new Set(await needsOf(cell));
    for (const each of cells.slice(0, cells.indexOf(cell)).reverse()) {
      const leaf = each.leaf && each.text === null;
      if (leaf && !each.makes.some((name) => names.has(name))) continue;
      (await needsOf(each)).forEach((name) => names.add(name));
      if (!ran.has(each)) needed.unshift(each);
    }
    return needed;
  }

  /** Run the cells above that have not run, then this one. */
  async function runUpTo(cell) {
    const tell = (text) => say(cell, text);
    const above = await neededAbove(cell);
    if (stopped) return say(cell, words.stopped);
    for (const [i, each] of above.entries()) {
      const doing = fill(words.above, { number: i + 1, count: above.length });
      tell(doing);
      const quiet = { doing, shown: false, out: () => {}, say: tell };
      const failure = await runInWorker(each, quiet);
      if (stopped) return say(cell, words.stopped);
      ran.add(each);
      each.element?.classList.add("py-ran");
      // The book's own cell may fail here (a package or a claim about speed): those below go on, and
      // what they miss they say. A reader's own text must be mended first.
      if (failure && each.text !== null) {
        ran.delete(each);
        const print = printer(cell);
        print.failure(failure);
        print.end();
        return say(cell, words.failedAbove);
      }
    }
    const print = printer(cell);
    tell(words.running);
    const failure = await runInWorker(cell, {
      doing: words.running,
      shown: true,
      out: print.message,
      say: tell,
    });
    if (stopped) return say(cell, words.stopped);
    if (failure) print.failure(failure);
    else ran.add(cell);
    print.end();
    cell.element.classList.toggle("py-ran", !failure);
    say(cell, failure ? words.failed : words.done);
  }

  /** End whatever runs; Python starts afresh with the next press. */
  function stop() {
    stopped = true;
    const { tell } = machine ?? {};
    const { end } = running ?? {};
    endMachine();
    tell?.reject(new Error("stopped"));
    end?.(null);
  }

  // ------------------------------------------------------------------------------------ the cells

  const shownCells = [];
  cells.forEach((cell, i) => {
    cell.number = i + 1;
    cell.book = cell.text;
    cell.text = kept.get(cell);
    cell.source = () => cell.text ?? cell.book;
    cell.element = document.querySelector(`.code-${cell.index}`);
    cell.bar = cell.element?.querySelector(".py-bar");
    if (!cell.bar) return; // hidden, or without input: runs with those below
    shownCells.push(cell);
    cell.listing = cell.element.querySelector(".cell_input pre");
    cell.runButton = cell.bar.querySelector(".py-run");
    cell.editButton = cell.bar.querySelector(".py-edit");
    const button = (className, text, press) => {
      const made = make("button", { type: "button", className, textContent: text, hidden: true });
      made.addEventListener("click", press);
      return made;
    };
    cell.stopButton = button("py-stop", words.stop, stop);
    cell.restoreButton = button("py-restore", words.restore, () => restore(cell));
    cell.status = make("span", { className: "py-status" });
    cell.status.setAttribute("role", "status");
    cell.runButton.after(cell.stopButton);
    cell.bar.append(cell.restoreButton, cell.status);
    if (cell.text !== null) openEditor(cell);
    refresh(cell);
  });

  const restart = make("button", { type: "button", className: "py-restart", textContent: words.restart });
  restart.addEventListener("click", () => {
    if (active) stop();
    else endMachine();
    const cell = shownCells.find((each) => each.bar.contains(restart));
    if (cell) say(cell, words.restarted);
    restart.remove();
  });

  window.pagePython.press = (index, what) => {
    const cell = cells.find((each) => each.index === index);
    if (what === "edit") focusEditor(cell);
    else {
      cell.bar.append(restart);
      run(cell);
    }
  };
})();
