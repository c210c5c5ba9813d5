// Two small things the theme leaves undone; runs in the head, before the page is painted.
(function () {
  "use strict";
  // Without a stored choice the theme paints light first and asks the system later: no flash.
  const page = document.documentElement.dataset;
  if (page.theme !== "light" && page.theme !== "dark") {
    page.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  // Search works from file:// too, but may not fetch pages there to quote them.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
})();
