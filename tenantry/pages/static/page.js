// Shows a page again when something has happened, in place: focus and what is written in a form stay.
"use strict";
(() => {
  const policy = window.trustedTypes
    ? trustedTypes.createPolicy("tenantry", { createHTML: (text) => text })
    : { createHTML: (text) => text };
  const main = () => document.getElementById("main");
  let busy = false;
  let again = false;

  const isWriting = () => {
    const at = document.activeElement;
    return at && main().contains(at) && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName);
  };

  // Our own page, escaped by the server: it is read as a document, whose scripts do not run.
  const renew = async () => {
    if (busy || isWriting() || document.hidden) { again = true; return; }
    busy = true;
    again = false;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected) return;
      const found = new DOMParser().parseFromString(policy.createHTML(await answer.text()), "text/html");
      const next = found.getElementById("main");
      if (!next || isWriting()) return;
      const open = [...main().querySelectorAll("details")].map((each) => each.open);
      const focused = document.activeElement && document.activeElement.getAttribute("href");
      const scrolled = [...main().querySelectorAll(".scroll")].map((each) => each.scrollLeft);
      main().replaceWith(document.adoptNode(next));
      main().querySelectorAll("details").forEach((each, at) => { each.open = Boolean(open[at]); });
      main().querySelectorAll(".scroll").forEach((each, at) => { each.scrollLeft = scrolled[at] || 0; });
      if (focused) {
        const same = [...main().querySelectorAll("a[href]")].find((each) => each.getAttribute("href") === focused);
        if (same) same.focus({ preventScroll: true });
      }
      soon();
    } finally {
      busy = false;
      if (again) setTimeout(renew, 1000);
    }
  };

  // The server says that something is being read: look again.
  const soon = () => {
    const seconds = Number(main().dataset.again);
    if (seconds) setTimeout(renew, 1000 * seconds);
  };

  document.addEventListener("visibilitychange", () => { if (again) renew(); });
  document.addEventListener("focusout", () => { if (again) setTimeout(renew, 200); });
  const source = main().dataset.live;
  if (source && window.EventSource) {
    new EventSource(source).addEventListener("changed", renew);
  }
  soon();
})();
