// Which key presses which button: the page's own, or what the reviewer chose on the key sheet. Kept in this browser,
// for each reviewer.
(() => {
  "use strict";
  if (window.nightshift.keys) return;

  const FIXED = new Set(["?", "Escape", "Enter", "Tab", "Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock"]);
  const LAST = "nightshift-reviewer";
  const find = (selector) => document.querySelector(selector);
  const capOf = (key) => (key === " " ? "Space" : key.length > 1 ? key : key.toUpperCase());

  const keys = {
    changing: null,

    get place() {
      return `nightshift-keys:${localStorage.getItem(LAST) || "local"}:${location.pathname}`;
    },

    // Button by key as the page has it.
    get own() {
      return JSON.parse(find(".ns-top")?.dataset.keys || "{}");
    },

    // Key by button, where it was chosen.
    get chosen() {
      try {
        return JSON.parse(localStorage.getItem(this.place)) || {};
      } catch {
        return {};
      }
    },

    // Key by button as it is now.
    get now() {
      const own = Object.fromEntries(Object.entries(this.own).map(([key, button]) => [button, key]));
      return { ...own, ...this.chosen };
    },

    buttonFor(key) {
      return Object.entries(this.now).find(([, bound]) => bound === key.toLowerCase())?.[0];
    },

    of(reviewer) {
      if (localStorage.getItem(LAST) === reviewer) return;
      localStorage.setItem(LAST, reviewer);
      this.draw();
    },

    // Takes the key for the button; whichever button had it gets the other's in return.
    bind(button, key) {
      const now = this.now;
      const before = Object.entries(now).find(([, bound]) => bound === key)?.[0];
      if (before) now[before] = now[button];
      now[button] = key;
      localStorage.setItem(this.place, JSON.stringify(now));
      this.draw();
    },

    reset() {
      localStorage.removeItem(this.place);
      this.draw();
    },

    draw() {
      const style = find("#ns-caps") || document.head.appendChild(Object.assign(document.createElement("style"), { id: "ns-caps" }));
      const known = Object.keys(this.chosen).length ? this.now : {};
      style.textContent = Object.entries(known)
        .map(([button, key]) => `button#${CSS.escape(button)}.lg::after { content: ${JSON.stringify(capOf(key))} !important; }`)
        .join("\n");
      for (const cap of document.querySelectorAll("#ns-sheet kbd[data-cap]")) cap.textContent = capOf(this.now[cap.dataset.cap] || "");
      for (const change of document.querySelectorAll("[data-rebind]")) {
        const waits = change.dataset.rebind === this.changing;
        change.textContent = waits ? change.dataset.waits : change.dataset.label;
        change.setAttribute("aria-pressed", String(waits));
      }
    },

    // Whether a key was meant for the key sheet: it is the new key of the button whose key is being changed.
    takes(event) {
      if (!this.changing) return false;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Escape") this.changing = null;
      else if (!FIXED.has(event.key)) {
        const button = this.changing;
        this.changing = null;
        this.bind(button, event.key.toLowerCase());
      }
      this.draw();
      return true;
    },
  };

  document.addEventListener("click", (event) => {
    const change = event.target.closest?.("[data-rebind]");
    if (change) keys.changing = keys.changing === change.dataset.rebind ? null : change.dataset.rebind;
    else if (event.target.closest?.("[data-reset-keys]")) keys.reset();
    else return;
    keys.draw();
  });
  document.addEventListener("keydown", (event) => keys.takes(event), true);

  window.nightshift.keys = keys;
  const drawn = new MutationObserver(() => {
    if (!find(".ns-top")) return;
    drawn.disconnect();
    keys.draw();
  });
  drawn.observe(document.body, { childList: true, subtree: true });
})();
