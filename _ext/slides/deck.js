// Makes slides of a page: starts reveal.js, fits explorers, and keeps a presenter's two keys for slides.
(function () {
  "use strict";
  const SIZES = [1.3, 1.2, 1.1, 1.05, 1, 0.96, 0.92, 0.88, 0.84, 0.8, 0.76, 0.72, 0.68]; // of an explorer's text, in that of a page
  const watched = new WeakSet(); // hosts
  const latest = new WeakMap(); // of each slide, the number of its last settling: an earlier one gives way
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const holds = (each) => each.scrollHeight <= each.clientHeight + 1 && each.scrollWidth <= each.clientWidth + 1;
  const fits = (slide) => [slide, ...slide.querySelectorAll(".body")].every(holds);

  /** Give the explorer of a slide the largest size with which the slide needs no scrolling. */
  async function fit(slide, isLatest) {
    const live = slide?.querySelector(".explorer-live");
    const root = live?.querySelector(".gmm-explorer");
    if (!root) return;
    const fitsAt = async (size) => {
      root.style.setProperty("--px", `calc(${size} * 1rem / 16)`);
      live.style.paddingInlineEnd = live.style.paddingInlineEnd ? "" : "1px"; // its pictures look at their width
      await frame();
      await frame();
      return fits(slide);
    };
    let [first, last] = [0, SIZES.length - 1]; // the largest that fits is one of those from here to there
    while (first < last && isLatest()) {
      const middle = (first + last) >> 1;
      if (await fitsAt(SIZES[middle])) last = middle;
      else first = middle + 1;
    }
    // What came late, as a picture that takes its size from another's, may need more room than was seen.
    while (isLatest() && !(await fitsAt(SIZES[last])) && last < SIZES.length - 1) last += 1;
  }

  /** Wait until the explorer of a slide is alive (or has said why not), then fit it, and again when it grows. */
  async function settle(slide) {
    const number = (latest.get(slide) ?? 0) + 1;
    const isLatest = () => latest.get(slide) === number;
    latest.set(slide, number);
    delete slide.dataset.settled;
    const host = slide.querySelector(".explorer-host");
    while (host && !host.dataset.alive && !host.querySelector(".explorer-error")) await frame();
    await fit(slide, isLatest);
    if (!isLatest()) return;
    if (host && !watched.has(host)) {
      watched.add(host);
      new ResizeObserver(() => slide.dataset.settled && !fits(slide) && settle(slide)).observe(host);
    }
    slide.dataset.settled = "true";
  }

  // A remote sends Page Down and Page Up, whatever has the focus. In projector mode they are the explorer's; and so
  // is P on a slide with an explorer.
  addEventListener(
    "keydown",
    (event) => {
      const root = document.querySelector("section.present .gmm-explorer");
      if (event.key === "p" && event.target === document.body && root) {
        event.stopPropagation();
        root.dispatchEvent(new KeyboardEvent("keydown", event));
      }
      const move = { PageDown: "next", PageUp: "prev" }[event.key];
      if (!move || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("[data-projector]")) return;
      event.preventDefault();
      event.stopPropagation();
      window.Reveal[move]();
    },
    true,
  );

  addEventListener("DOMContentLoaded", async () => {
    const { Reveal, RevealNotes, explorerHost } = window;
    await document.fonts.ready; // slides are measured with the formulas on them
    await Reveal.initialize({
      width: "100%",
      height: "100%",
      margin: 0,
      minScale: 1,
      maxScale: 1,
      center: false,
      display: "flex",
      hash: true,
      transition: "none",
      controls: false,
      slideNumber: "c/t",
      viewDistance: 2,
      keyboardCondition: (event) => !event?.target?.closest?.(".gmm-explorer"),
      plugins: [RevealNotes],
    });
    explorerHost.inView();
    Reveal.on("slidechanged", ({ currentSlide }) => settle(currentSlide));
    addEventListener("resize", () => settle(Reveal.getCurrentSlide()));
    await settle(Reveal.getCurrentSlide());
    document.documentElement.dataset.set = "true"; // for tests
  });
})();
