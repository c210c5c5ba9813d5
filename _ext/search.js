// Looks through the places of the book (see search.py, which puts them above), and shows those found.
(function () {
  "use strict";
  const { pages, words } = window.bookSearch;
  const GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau upsilon phi chi psi omega".split(" ");
  const WORD = /[\p{L}\p{N}_]+/gu;
  const AROUND = 220; // characters of a quotation
  const stemmer = new Stemmer();
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  /** The words of a text as they are compared: μ₁ is "mu" and "1", "Jensen’s" is "jensen". */
  function plain(text) {
    const simple = text.normalize("NFKC").toLowerCase().replace(/ϕ/g, "φ").replace(/ϵ/g, "ε").replace(/[’']s\b/g, "");
    const spelled = simple.replace(/[α-ω]/g, (sign) => ` ${GREEK[sign.codePointAt(0) - 0x3b1]} `);
    return spelled.match(WORD) ?? [];
  }
  const stem = (word) => (/^[a-z]{3,}$/.test(word) ? stemmer.stemWord(word) : word);

  /** How often each stem stands in a text. */
  function counts(text) {
    const found = new Map();
    for (const word of plain(text)) found.set(stem(word), (found.get(stem(word)) ?? 0) + 1);
    return found;
  }
  const places = pages.flatMap(({ address, title: page, places: all }, order) =>
    all.map((place) => ({ ...place, page, order, address: place.anchor ? `${address}#${place.anchor}` : address })),
  );
  for (const place of places) {
    place.inTitle = counts(place.title);
    place.inText = counts(place.text);
  }

  /** The terms of a query: its words, without those that are everywhere if others are left. */
  function termsOf(query) {
    const all = plain(query);
    const telling = all.filter((word) => !stopwords.includes(word));
    return [...new Set((telling.length ? telling : all).map(stem))];
  }

  function look(query) {
    const terms = termsOf(query);
    const asked = query.toLowerCase();
    const found = [];
    for (const place of places) {
      let [score, has] = [0, 0];
      for (const term of terms) {
        const [title, text] = [place.inTitle.get(term) ?? 0, place.inText.get(term) ?? 0];
        if (title + text === 0) continue;
        has += 1;
        score += (title ? 20 : 0) + Math.log2(1 + Math.min(text, 7));
      }
      if (!has) continue;
      const named = terms.every((term) => place.inTitle.has(term));
      // What the words mean comes first; then what is called by them, and by little else.
      if (named && place.kind === "term") score += 1000;
      if (named) score += (30 * terms.length) / place.inTitle.size;
      if (place.kind === "name") {
        // Who asks for a name of the library writes it as it is; others are after the text.
        if ([place.title, place.title.split(".").pop()].some((name) => name.toLowerCase() === asked)) score += 1000;
        else score /= 4;
      }
      found.push({ place, score, has });
    }
    const most = Math.max(0, ...found.map(({ has }) => has));
    const best = found.filter(({ has }) => has === most);
    best.sort((a, b) => b.score - a.score || a.place.order - b.place.order);
    return { terms, whole: most === terms.length, found: best.map(({ place }) => place) };
  }

  /** The part of a place's text that has most of the terms, those marked; what a name is for stands first. */
  function quote({ text, kind }, terms) {
    const hits = [...text.matchAll(WORD)]
      .map((found) => ({ at: found.index, end: found.index + found[0].length, of: plain(found[0]).map(stem) }))
      .filter(({ of }) => of.some((each) => terms.includes(each)));
    const within = (hit) => hits.filter(({ at }) => at >= hit.at && at < hit.at + AROUND - 60);
    const worth = (hit) => new Set(within(hit).flatMap(({ of }) => of.filter((each) => terms.includes(each)))).size;
    const first = hits.reduce((best, hit) => (!best || worth(hit) > worth(best) ? hit : best), null);
    let begin = kind === "name" ? 0 : Math.max(0, (first?.at ?? 0) - 60);
    if (begin) begin = text.indexOf(" ", begin) + 1;
    let end = Math.min(text.length, begin + AROUND);
    if (end < text.length) end = text.lastIndexOf(" ", end);
    const line = document.createElement("p");
    let at = begin;
    for (const hit of hits.filter((each) => each.at >= begin && each.end <= end)) {
      line.append(text.slice(at, hit.at), make("mark", {}, text.slice(hit.at, hit.end)));
      at = hit.end;
    }
    line.append(text.slice(at, end), end < text.length ? " …" : "");
    if (begin) line.prepend("… ");
    return line;
  }

  function show(query) {
    const { terms, whole, found } = look(query);
    const key = found.length === 0 ? "none" : !whole ? "some" : found.length === 1 ? "one" : "many";
    const said = make("p", {}, words[key].replace("{query}", query).replace("{count}", found.length));
    said.setAttribute("role", "status");
    const list = make("ul", { className: "search" });
    for (const place of found) {
      const item = make("li", {}, make("a", { href: place.address }, place.title));
      if (place.kind !== "page") item.append(" ", make("span", { className: "where" }, place.page));
      if (place.text) item.append(quote(place, terms));
      list.append(item);
    }
    document.getElementById("search-results").replaceChildren(said, list);
  }

  const query = new URLSearchParams(location.search).get("q")?.trim();
  if (!query) return;
  for (const field of document.querySelectorAll('input[name="q"]')) field.value = query;
  show(query);
})();
