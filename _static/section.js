// Says in a long page which of its sections is being read: in the page's contents where they stand
// beside the text, else in the bar at the top.
(function () {
  "use strict";
  const READ = 0.3; // of the window's height: what has come as far up is being read

  document.addEventListener("DOMContentLoaded", () => {
    const sections = [...document.querySelectorAll(".bd-article > section > section[id]:has(> h2)")];
    const bar = document.querySelector(".header-article-items__start");
    if (sections.length < 3 || !bar) return;
    const count = document.createElement("span");
    const title = document.createElement("span");
    title.className = "title";
    const mark = document.createElement("a");
    mark.className = "section-now";
    mark.append(count, " ", title);
    bar.append(mark);
    const entries = new Map(
      [...document.querySelectorAll(".bd-toc-nav a[href^='#']")].map((link) => [link.getAttribute("href"), link]),
    );
    let shown = null;

    function tell() {
      const tops = sections.map((section) => section.getBoundingClientRect().top);
      const atEnd = scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
      const last = atEnd ? sections.length - 1 : tops.findLastIndex((top) => top < innerHeight * READ);
      if (last === shown) return;
      entries.get(`#${sections[shown]?.id}`)?.removeAttribute("aria-current");
      shown = last;
      mark.hidden = last < 0;
      if (last < 0) return;
      count.textContent = `${last + 1}/${sections.length}`;
      title.textContent = window.formulas.textOf(sections[last].querySelector("h2"));
      mark.href = `#${sections[last].id}`;
      entries.get(`#${sections[last].id}`)?.setAttribute("aria-current", "true");
    }

    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        tell();
      });
    });
    tell();
  });
})();
