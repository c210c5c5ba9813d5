// What formulas need beside the browser's own drawing of them (_ext/formulas.py).
(function () {
  "use strict";
  window.formulas = { textOf };

  /** The text of an element in one line: of its formulas what is drawn, not the TeX that stands beside it. */
  function textOf(element) {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("annotation, .headerlink").forEach((each) => each.remove());
    return copy.textContent.trim();
  }

  // A formula, or a table, that is wider than its place scrolls there, by keyboard too.
  const wide = new ResizeObserver((seen) => {
    for (const { target } of seen) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const each of document.querySelectorAll(".formula, span.math, .bd-article table")) wide.observe(each);
  });

  // Who copies text with formulas gets them in TeX, as in the notebooks.
  document.addEventListener("copy", (event) => {
    const range = getSelection().rangeCount ? getSelection().getRangeAt(0) : null;
    if (!range || range.collapsed) return;
    const whole = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest("math");
    const [first, last] = [whole(range.startContainer), whole(range.endContainer)];
    if (first) range.setStartBefore(first);
    if (last) range.setEndAfter(last);
    const copied = range.cloneContents();
    const formulas = copied.querySelectorAll("math");
    if (!formulas.length) return;
    for (const formula of formulas) {
      const sign = formula.getAttribute("display") === "block" ? "$$" : "$";
      formula.replaceWith(sign + formula.querySelector("annotation").textContent + sign);
    }
    const holder = document.createElement("div");
    holder.style.cssText = "position: fixed; inset-inline-start: -99rem; white-space: pre-wrap";
    holder.append(copied);
    document.body.append(holder); // the lines of text are those of the page only where it is laid out
    event.clipboardData.setData("text/plain", holder.innerText);
    holder.remove();
    event.preventDefault();
  });
})();
