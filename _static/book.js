// Two small things the theme leaves undone; runs in the head, before the page is painted.
(function () {
  "use strict";
  // Without a stored choice the theme paints light first and asks the system later: no flash.
  const page = document.documentElement.dataset;
  if (page.theme !== "light" && page.theme !== "dark") {
    page.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  // The theme's menus take a slow computer a second. They wait until the first explorers are alive,
  // but not for one that hangs; the explorers further down come last.
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  const load = (waiting) =>
    new Promise((done) => {
      const script = document.createElement("script");
      script.async = false; // in the order of the page
      script.onload = script.onerror = done;
      script.src = waiting.dataset.later;
      document.head.append(script);
    });
  document.addEventListener("DOMContentLoaded", async () => {
    const explorers = window.explorerHost;
    if (explorers) await Promise.race([explorers.inView(), pause(3000)]);
    await pause(0); // lets the browser paint them
    await Promise.all([...document.querySelectorAll("script[data-later]")].map(load));
    page.set = "true"; // for tests and measurements: nothing of the text moves from here on
    explorers?.rest();
  });
})();
