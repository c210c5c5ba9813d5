// A monkey at the one explorer of a page: see test_monkey.py. Returns { found: what is wrong or null, log, events }.
// It does as many `events` as it is told, at random; or, told `events: "numbers"`, types every number in every field.
async ({ seed, events: wanted }) => {
  const root = document.querySelector("[data-explorer]");
  let state = seed;
  const random = () => { // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const pick = (list) => list[Math.floor(random() * list.length)];

  // Time passes when the monkey says so: what is put off waits in a queue.
  const { setTimeout: later, clearTimeout: never } = window;
  const due = new Map();
  let timers = 0;
  window.setTimeout = (call) => (due.set((timers += 1), call), timers);
  window.clearTimeout = (id) => due.delete(id);
  SVGElement.prototype.setPointerCapture = () => {}; // these pointers exist only here

  const shown = (node) => node.getClientRects().length > 0;
  const all = (selector) => [...root.querySelectorAll(selector)].filter(shown);
  const fire = (node, type, more = {}) => node.dispatchEvent(new Event(type, { bubbles: true, ...more }));
  const key = (node, name, more = {}) => {
    node.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...more }));
  };
  const NUMBERS = [
    "1e-320", "-1e-320", "1e-308", "1e-155", "1e-9", "0", "-0", "0.001", "0.5", "0.999999", "1", "3", "-7", "12.3456789",
    "99", "1e3", "1e5", "999999.9999", "1e6", "-1e6", "1e7", "1e11", "1e12", "1e16", "1e155", "-1e155", "1e308", "1e999", "",
  ];
  const KEYS = [
    "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "Delete", "Backspace", "Insert",
    "+", "0", "1", "2", "p", "Escape",
  ];
  const CONTROL = { button: 5, "input[type=range]": 3, "input[type=number]": 4, select: 2, "input[type=checkbox]": 1, summary: 1 };
  const describe = (node) => `${node.tagName} ${(node.getAttribute("aria-label") ?? node.textContent).slice(0, 40)}`;

  const type = (node, text) => {
    node.focus();
    node.value = text;
    fire(node, "input");
    fire(node, "change");
  };

  const ACTIONS = {
    control() {
      const kinds = Object.keys(CONTROL).flatMap((name) => Array(CONTROL[name]).fill(name));
      const node = pick(all(pick(kinds)).filter((each) => !each.disabled));
      if (!node) return "nothing";
      if (node.type === "range") {
        const [low, high] = [Number(node.min), Number(node.max)];
        for (let n = pick([1, 1, 4]); n; n -= 1) {
          node.value = pick([low, high, low + random() * (high - low)]);
          fire(node, "input");
        }
        fire(node, "change");
      } else if (node.type === "number") {
        type(node, pick(NUMBERS));
        if (random() < 0.5) node.blur();
      } else if (node.tagName === "SELECT") {
        node.selectedIndex = Math.floor(random() * node.options.length);
        fire(node, "change");
      } else {
        node.focus();
        node.click();
      }
      return `${describe(node)} ${node.value ?? ""}`;
    },
    keys() {
      const node = random() < 0.15 ? document.activeElement : pick(all("[role=slider], .gmm-chip"));
      if (!node || !root.contains(node)) return "nothing";
      node.focus();
      const [name, shiftKey] = [pick(KEYS), random() < 0.3];
      for (let n = pick([1, 1, 5]); n; n -= 1) key(node, name, { shiftKey });
      node.dispatchEvent(new KeyboardEvent("keyup", { key: name, bubbles: true }));
      return `${describe(node)} ${shiftKey ? "Shift+" : ""}${name}`;
    },
    drag() {
      const svg = pick(all(".gmm-front"));
      const box = svg.getBoundingClientRect();
      const knobs = [...svg.querySelectorAll("[role=slider]")].filter(shown);
      const knob = knobs.length && random() < 0.8 ? pick(knobs).getBoundingClientRect() : null;
      let [x, y] = [box.left + random() * box.width, box.top + random() * box.height];
      if (knob) [x, y] = [knob.left + knob.width / 2, knob.top + knob.height / 2];
      const point = (type) =>
        svg.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, pointerId: 7, bubbles: true, cancelable: true }));
      point("pointermove");
      point("pointerdown");
      for (let n = Math.floor(random() * 5); n; n -= 1) {
        [x, y] = [box.left + (1.4 * random() - 0.2) * box.width, box.top + (1.4 * random() - 0.2) * box.height];
        point("pointermove");
      }
      point(pick(["pointerup", "pointerup", "pointercancel"]));
      if (random() < 0.1) svg.dispatchEvent(new MouseEvent("dblclick", { clientX: x, clientY: y, bubbles: true }));
      return `drag to ${Math.round(x - box.left)} ${Math.round(y - box.top)}`;
    },
    undo() {
      key(random() < 0.5 ? root : pick(all("[role=slider]")) ?? root, "z", { ctrlKey: true });
      return "Ctrl+Z";
    },
    wait() {
      for (let n = pick([1, 2, 20]); n && due.size; n -= 1) {
        const [id, call] = due.entries().next().value;
        due.delete(id);
        call();
      }
      return "time passes";
    },
  };
  const WEIGHTS = { control: 6, keys: 3, drag: 3, undo: 1, wait: 2 };
  const bag = Object.keys(WEIGHTS).flatMap((name) => Array(WEIGHTS[name]).fill(name));

  const ODD = /NaN|Infinity|undefined|\[object/;
  const LONG = /(?<![.\d])\d{13,}/;
  // An attribute or a field that is wrong is in all of them as one text, too, which is searched in a tenth of the time.
  const IN_ATTRIBUTES = new RegExp(`${ODD.source}|aria-[\\w-]+="[^"]*?${LONG.source}`);
  function problem() {
    if (window.errors.length) return window.errors.join("; ");
    const text = root.innerText;
    const said = text.match(ODD) ?? text.match(LONG);
    if (said) return `the text says ${said[0]}: ${said.input.slice(Math.max(0, said.index - 60), said.index + 60)}`;
    const fields = [...root.querySelectorAll("input, select, button")].map(({ value }) => value);
    if (!IN_ATTRIBUTES.test(root.innerHTML) && !ODD.test(fields.join(" "))) return null;
    for (const node of root.querySelectorAll("svg *, [style], [aria-valuetext], input")) {
      if (node.value && ODD.test(node.value)) return `a field says ${node.value}`;
      for (const { name, value } of node.attributes) {
        if (ODD.test(value) || (name.startsWith("aria-") && LONG.test(value))) return `${describe(node)} ${node.getAttribute("class")}: ${name}="${value.slice(0, 80)}"`;
      }
    }
    return null;
  }
  function outside() {
    const slack = 1.5;
    const own = root.getBoundingClientRect();
    const boxes = new Map(); // of the pictures
    if (document.documentElement.scrollWidth > innerWidth) return `the page is ${document.documentElement.scrollWidth} px wide`;
    for (const node of root.querySelectorAll("*")) {
      if (!shown(node) || node.closest("canvas, .gmm-scroll *, [aria-hidden=true] .gmm-figure")) continue;
      const box = node.getBoundingClientRect();
      const picture = node.closest(".gmm-figure");
      if (picture && !boxes.has(picture)) boxes.set(picture, picture.getBoundingClientRect());
      const figure = boxes.get(picture);
      if (!figure) {
        if (box.left < own.left - slack || box.right > own.right + slack) return `${describe(node)} ${node.className} is outside the explorer`;
      } else if (node.tagName === "text" && node.textContent) {
        const [a, b, c, d] = [figure.left - box.left, box.right - figure.right, figure.top - box.top, box.bottom - figure.bottom];
        if (Math.max(a, b, c, d) > slack) return `"${node.textContent}" (${node.getAttribute("class")}) is ${Math.max(a, b, c, d).toFixed(1)} px outside its picture`;
      } else if (node.matches("[role=slider]")) {
        const knob = node.querySelector(".gmm-knob").getBoundingClientRect();
        const [x, y] = [knob.left + knob.width / 2, knob.top + knob.height / 2];
        if (x < figure.left - slack || x > figure.right + slack || y < figure.top - slack || y > figure.bottom + slack) return `${describe(node)} is outside its picture`;
      }
    }
    return null;
  }

  // Fields may come and go: each is looked up when its turn comes.
  const fields = () => all("input[type=number]");
  const plan = wanted !== "numbers" ? null : fields().flatMap((_, at) => NUMBERS.map((text) => () => {
    const node = fields()[at];
    if (node) type(node, text);
    return `${node ? describe(node) : "no field"} ${text}`;
  }));
  const events = plan ? plan.length : wanted;

  const log = [];
  let found = problem() ?? outside();
  for (let n = 0; n < events && !found; n += 1) {
    try {
      log.push(plan ? plan[n]() : ACTIONS[pick(bag)]());
      await null;
    } catch (error) {
      window.errors.push(String(error.stack));
    }
    // Pictures take their new sizes: one frame tells them, in the next they do, and the third shows it.
    for (let frame = 0; n % 10 === 9 && frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    const close = n % 10 === 9 || n === events - 1;
    found = problem();
    if (found || !close) continue;
    // A picture whose size follows another's takes it some frames later; what stays outside is found.
    let out = outside();
    for (let frame = 0; out && frame < 10; frame += 1) {
      await new Promise(requestAnimationFrame);
      out = outside();
    }
    found = problem() ?? out;
  }
  Object.assign(window, { setTimeout: later, clearTimeout: never });
  return { found, log: log.slice(-12), events };
}
