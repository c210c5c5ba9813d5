// Puts Run and Edit below each code cell. What they start is loaded at the first press (or at once
// where a reader has edited something before): see _ext/python_in_page/page.js.
(function () {
  "use strict";
  let python = null; // what the page says in its body
  let loading = null;
  const load = (address) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${address} did not load`));
      script.src = address;
      document.head.append(script);
      script.remove();
    });
  const begin = () =>
    (loading ??= load(python.cellsAddress)
      .then(() => load(`${python.base}page.js`))
      .catch((error) => {
        loading = null;
        throw error;
      }));

  function start() {
    python = window.pagePython;
    if (!python) return; // no code here, or no machine to run it
    Object.assign(python, { load, file: location.protocol === "file:" });
    for (const input of document.querySelectorAll(".cell[class*=code-] > .cell_input, .cell[class*=code-] > details .cell_input")) {
      const cell = input.closest(".cell");
      const index = Number(cell.className.match(/\bcode-(\d+)\b/)[1]);
      const bar = document.createElement("div");
      bar.className = "py-bar";
      for (const what of ["run", "edit"]) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = `py-${what}`;
        button.textContent = python.words[what];
        button.addEventListener("click", () =>
          begin().then(
            () => python.press(index, what),
            (error) => bar.append(` ${error.message}`),
          ),
        );
        bar.append(button);
      }
      input.append(bar);
    }
    try {
      const own = `python ${python.page} `;
      if (Object.keys(localStorage).some((key) => key.startsWith(own))) begin();
    } catch {
      // no storage here: nothing was kept
    }
  }
  document.addEventListener("DOMContentLoaded", start);
})();
