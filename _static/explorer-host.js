// Brings the explorers of a static page to life: no kernel, no CDN, also from file://.
//
// The page (written by _ext/explorers.py) holds, for each explorer, a still picture and
//   <div class="explorer-host" data-files="<files in _static/explorers>" data-model="<id>">
//   <script type="application/json" class="explorer-state">{"trait": value, …}</script>
// The .js files register the text of the modules that make up the explorer's, in their order. An ES
// module cannot be loaded from file:// by its path, but it can from a blob: URL made of that text.
// This file itself must stay a classic script for the same reason.
(function () {
  "use strict";
  if (window.explorerHost) return; // a page may name this script twice
  const files = {}; // file -> promise that it is here
  const modules = {}; // files -> promise of {definition, url}
  const models = {}; // id -> promise of a model; two views of one explorer share it
  const sources = {}; // file -> text, filled by the files
  const root = new URL("explorers/", document.currentScript.src);
  const register = (file, text) => (sources[file] = text);
  window.explorerHost = { start: first, register };

  // Back brings the explorers as they were left. Every entry that the page has in the history names the visit that made
  // it; what the visit has changed is kept, for as long as the tab is open.
  const VISITS = 20; // kept at most
  const alive = {}; // id -> model
  const left = {}; // id -> {trait: value}, of explorers that are not alive yet
  let visit = null;
  function mark() {
    if (window.history.state?.visit !== visit) window.history.replaceState({ ...window.history.state, visit }, "");
  }
  function keep() {
    const changes = { ...left };
    for (const id of Object.keys(alive)) changes[id] = alive[id].changes();
    sessionStorage.setItem(`explorers ${visit}`, JSON.stringify(changes));
    const visits = Object.keys(sessionStorage).filter((name) => name.startsWith("explorers ")).sort();
    visits.slice(0, -VISITS).forEach((name) => sessionStorage.removeItem(name));
  }
  try {
    const [came] = performance.getEntriesByType("navigation");
    const before = came?.type === "back_forward" ? window.history.state?.visit : null;
    visit = before ?? `${Date.now()} ${Math.random()}`;
    Object.assign(left, JSON.parse(sessionStorage.getItem(`explorers ${visit}`)));
    window.addEventListener("load", mark); // before that Sphinx writes there what it likes
    window.addEventListener("hashchange", mark);
    window.addEventListener("pagehide", () => {
      try {
        keep();
      } catch {
        /* no room: the reader comes back to the start, as in a new tab */
      }
    });
  } catch {
    /* a page without a storage or a history of its own, such as one in a frame, keeps nothing */
  }

  /** The part of an anywidget model that a module may use: get, set, on, off, save_changes. */
  function makeModel(state) {
    const initial = { ...state };
    const listeners = {}; // event name -> callbacks
    const emit = (event, ...args) => [...(listeners[event] ?? [])].forEach((call) => call(...args));
    let changed = false;
    const model = {
      state: () => ({ ...state }),
      changes: () => Object.fromEntries(Object.entries(state).filter(([name, value]) => value !== initial[name])),
      get: (name) => state[name],
      set(name, value) {
        if (typeof name === "object") {
          Object.entries(name).forEach(([key, each]) => model.set(key, each));
        } else if (state[name] !== value) {
          state[name] = value;
          changed = true;
          emit(`change:${name}`, model, value);
        }
      },
      save_changes() {
        if (changed) emit("change", model);
        changed = false;
      },
      on: (event, call) => void (listeners[event] ??= []).push(call),
      off(event, call) {
        for (const name of event ? [event] : Object.keys(listeners)) {
          listeners[name] = call ? (listeners[name] ?? []).filter((each) => each !== call) : [];
        }
      },
    };
    return model;
  }

  const load = (file) =>
    (files[file] ??= new Promise((resolve, reject) => {
      const isStyle = file.endsWith(".css");
      const element = document.createElement(isStyle ? "link" : "script");
      element.onload = resolve;
      element.onerror = () => reject(new Error(`${file} did not load`));
      if (isStyle) element.rel = "stylesheet";
      element[isStyle ? "href" : "src"] = new URL(file, root);
      document.head.append(element);
    }));

  async function loadModule(names) {
    const all = names.split(" ");
    await Promise.all(all.map(load));
    return importTexts(all.filter((file) => file in sources).map((file) => sources[file]));
  }
  async function importTexts(texts) {
    const url = URL.createObjectURL(new Blob(texts, { type: "text/javascript" }));
    const { default: exported } = await import(url);
    return { url, definition: typeof exported === "function" ? await exported() : exported };
  }

  /**
   * Say it in the page: that an explorer could not start (then the still picture stays, so the reader
   * never sees a blank), or could not do a thing; that is told until it does the next.
   */
  function report(host, error) {
    console.error(error);
    host.querySelector(".explorer-error")?.remove();
    const note = document.createElement("p");
    note.className = "explorer-error";
    note.setAttribute("role", "alert");
    const alive = host.dataset.alive;
    note.textContent = `${(alive && host.dataset.broke) || host.dataset.failed} (${error?.message ?? error})`;
    host.prepend(note);
    if (alive) host.explorerModel?.on("change", () => note.remove());
  }

  async function start(host) {
    const live = document.createElement("div");
    live.className = "explorer-live";
    try {
      const { files: names, model: id } = host.dataset;
      const { definition, url } = await (modules[names] ??= loadModule(names));
      host.explorerSource = url;
      const model = await (models[id] ??= (async () => {
        const model = makeModel(JSON.parse(host.querySelector(".explorer-state").textContent));
        await definition.initialize?.({ model });
        return model;
      })());
      host.explorerModel = model;
      // The live explorer is laid out in the place of the still one before that leaves.
      host.querySelector(".explorer-room").append(live);
      await definition.render?.({ model, el: live });
      alive[id] = model;
      // As from another view of it: the explorer checks what comes, and Undo leads back to its start.
      model.set(left[id] ?? {});
      model.save_changes();
      delete left[id];
      host.dataset.alive = "true"; // the style hides the still picture now, except in print
    } catch (error) {
      live.remove();
      report(host, error);
    }
  }

  /** Show an explorer that Python in the page has made; returns its model. */
  window.explorerHost.show = async (host, { esm, css, state }) => {
    const { url, definition } = await importTexts([esm]);
    const style = document.createElement("style");
    style.textContent = css;
    const live = document.createElement("div");
    live.className = "explorer-live";
    host.replaceChildren(style, live);
    host.explorerSource = url;
    const model = (host.explorerModel = makeModel({ ...state }));
    await definition.initialize?.({ model });
    await definition.render?.({ model, el: live });
    host.dataset.alive = "true";
    return model;
  };

  // The first explorer of a page starts as the page is read, and waits for nothing. The others start
  // when the reader comes near, or else when the menus are there and there is nothing to do: book.js
  // calls `rest` then, and before that `inView`.
  // One that a question covers (questions.js) starts when it is uncovered, and the reader comes near.
  const begun = new Map(); // host -> promise
  const covered = (host) => host.closest("[data-asks] .cover:not([data-open])");
  const begin = (host) => begun.get(host) ?? begun.set(host, start(host)).get(host);
  function first(host) {
    if (covered(host)) return;
    if (!begun.size || location.hash.includes("=")) begin(host); // a link may be for any of them
  }
  const hosts = () => [...document.querySelectorAll(".explorer-host")];
  const near = new IntersectionObserver(
    (seen) => seen.forEach((entry) => entry.isIntersecting && begin(entry.target)),
    { rootMargin: "100% 0%" },
  );
  window.explorerHost.inView = () => {
    hosts().forEach((host) => near.observe(host));
    return Promise.all(begun.values());
  };
  window.explorerHost.rest = async () => {
    const idle = window.requestIdleCallback ?? ((call) => setTimeout(call, 100));
    for (const host of hosts()) {
      if (begun.has(host) || covered(host)) continue;
      await new Promise((done) => idle(done, { timeout: 1000 }));
      await begin(host);
    }
    if (!hosts().some(covered)) near.disconnect();
  };

  // An error after the start (in a handler, a frame, a promise) is told beside its explorer too.
  function late(text, error) {
    for (const host of document.querySelectorAll(".explorer-host")) {
      if (host.explorerSource && text.includes(host.explorerSource)) report(host, error);
    }
  }
  window.addEventListener("error", (event) => late(event.filename ?? "", event.error ?? event.message));
  window.addEventListener("unhandledrejection", (event) => late(event.reason?.stack ?? "", event.reason));
})();
