// The Review page's form: which queue, which filters, and whether verdicts are hidden. The queue and the hiding are kept
// in this browser; filters are not, so that nobody misses what they filtered away yesterday.
(() => {
  "use strict";
  if (window.nightshift.QueueForm) return;

  const CHOSEN = "nightshift-review";
  const TEXTS = ["work", "domain", "session", "reviewer", "verdict"];
  const DAYS = ["since", "until"];
  const find = (selector) => document.querySelector(selector);

  // `look` is called when something else was chosen.
  window.nightshift.QueueForm = class {
    constructor(door, look) {
      Object.assign(this, { door, look, form: find("#ns-queue"), fields: find("#ns-queue").elements });
      const before = this.before();
      if (before.order) this.fields.order.value = before.order;
      if (!this.fields.order.value) this.fields.order.selectedIndex = 0;
      this.fields.blind.checked = Boolean(before.blind);
      this.form.addEventListener("change", () => this.chose());
      this.form.addEventListener("reset", () => setTimeout(() => this.chose(this.last)));
      this.form.addEventListener("submit", (event) => event.preventDefault());
      find("#ns-filters").addEventListener("toggle", () => this.fill(), { once: true });
      this.remember();
    }

    before() {
      try {
        return JSON.parse(localStorage.getItem(CHOSEN)) || {};
      } catch {
        return {};
      }
    }

    get chosen() {
      const sought = {};
      for (const name of TEXTS) {
        const value = this.fields[name].value.trim();
        if (value) sought[name] = value;
      }
      for (const name of DAYS) {
        if (!this.fields[name].value) continue;
        const day = new Date(`${this.fields[name].value}T00:00`);
        if (name === "until") day.setDate(day.getDate() + 1);
        sought[name] = day.toISOString();
      }
      return { order: this.fields.order.value, blind: this.fields.blind.checked, sought };
    }

    // `still` is what stays although the form was reset.
    chose(still) {
      if (still) [this.fields.order.value, this.fields.blind.checked] = [still.order, still.blind];
      this.remember();
      if (document.activeElement?.matches("#ns-order, #ns-blind")) document.activeElement.blur();
      this.look();
    }

    remember() {
      const { order, blind, sought } = this.chosen;
      this.last = { order, blind };
      localStorage.setItem(CHOSEN, JSON.stringify(this.last));
      const number = Object.keys(sought).length;
      Object.assign(find("#ns-filtered"), { textContent: number, hidden: !number });
    }

    async fill() {
      const response = await fetch(`${this.door}/facets`).catch(() => null);
      const found = response?.ok ? await response.json() : {};
      for (const name of ["domain", "session", "reviewer"]) {
        this.fields[name].append(...(found[name] || []).map((value) => new Option(value, value)));
      }
    }
  };
})();
