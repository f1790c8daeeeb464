// The Review page: one item after the other, at once. The next items and their pictures are here before they are
// needed; words go to the server one batch after the other, and what it does not store comes back before the person.
(() => {
  "use strict";
  if (window.nightshift?.review) return;

  const WANTED = 12;
  const LOW = 8;
  const SEEN_MS = 150; // Nobody has seen an item that is here for less: such a key was meant for the one before.
  const RENEW_MS = 180_000;
  const KEPT = 100; // Steps whose pictures stay in memory.
  const IDLE_S = 60; // A longer pause is no part of the pace.
  const SITTING = "nightshift-sitting";

  const find = (selector) => document.querySelector(selector);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  // Not randomUUID, which there is only on loopback and over TLS.
  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const kept = (storage, name, otherwise) => {
    try {
      return JSON.parse(storage.getItem(name)) ?? otherwise;
    } catch {
      return otherwise;
    }
  };

  class Desk {
    constructor(root) {
      this.root = root;
      Object.assign(this, JSON.parse(root.dataset.told));
      const before = kept(sessionStorage, SITTING, {});
      this.sitting = before.sitting || newKey();
      this.steps = (before.steps || []).map((step) => ({ ...step, item: null }));
      this.outbox = (before.outbox || []).map((task) => ({ ...task, step: this.steps.find((step) => step.key === task.key) || task.step }));
      this.post = new window.nightshift.Post(this.door, { sitting: this.sitting }, () => this.tell(this.texts.trying, "bad"));
      this.deck = [];
      this.aside = [];
      this.waiting = 0;
      this.done = 0;
      this.shownAt = 0;
      this.generation = 0;
      this.paces_ms = [];
      this.form = new window.nightshift.QueueForm(this.door, () => this.look());
      this.bind();
      this.keep();
      this.look();
      this.flush();
      setInterval(() => this.renew(), RENEW_MS);
    }

    // ---- what is before the person -----------------------------------------------------------------------------
    get current() {
      return this.deck[0];
    }

    get is_seen() {
      return Boolean(this.current) && performance.now() - this.shownAt >= SEEN_MS;
    }

    show(since) {
      const item = this.current;
      this.root.dataset.turn = String(Number(this.root.dataset.turn) + 1);
      this.root.dataset.state = item ? "item" : this.root.dataset.state === "item" ? "loading" : this.root.dataset.state;
      find("#screen").replaceChildren(...(item ? [item.figure] : []));
      find("#ns-words").innerHTML = item ? item.words : "";
      find("#ns-why").innerHTML = item ? item.why : "";
      find("#reason input").value = item?.reason || "";
      this.root.dataset.prediction = item?.prediction || "";
      this.shownAt = performance.now();
      this.count();
      if (since !== undefined && item) this.measure(item, since);
      if (item || !this.exhausted) this.get();
      else this.instead("empty");
    }

    // From the key to the frame in which the next picture stands.
    measure(item, since) {
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = async () => {
          const whole = item.picture.complete && item.picture.naturalWidth > 0;
          if (!whole) await item.ready;
          this.paces_ms.push(performance.now() - since);
        };
        channel.port2.postMessage(null);
      });
    }

    prepared(item) {
      // Not a template element: what is in one is not loaded.
      const holder = document.createElement("div");
      holder.innerHTML = item.figure;
      const figure = holder.firstElementChild;
      const picture = figure.querySelector("img");
      const ready = picture.decode().catch(() => {
        const note = document.createElement("p");
        note.className = "ns-lost";
        note.textContent = this.texts.no_picture;
        figure.replaceChildren(note);
      });
      return { ...item, figure, picture, ready };
    }

    // ---- what the person does ----------------------------------------------------------------------------------
    answer(place, since) {
      const item = this.current;
      if (!this.is_seen) return;
      const key = newKey();
      const reason = find("#reason input").value.trim() || null;
      const step = { key, prediction: item.prediction, answer: place, at: Date.now(), item };
      this.steps.push(step);
      this.outbox.push({ kind: "word", key, step, word: { key, prediction: item.prediction, answer: this.answers[place].answer, reason } });
      this.go_on(since);
      this.tell(fill(this.texts.sending, { n: this.pending }), "open");
      this.flush();
    }

    skip(since) {
      const item = this.current;
      if (!this.is_seen) return;
      this.steps.push({ key: newKey(), prediction: item.prediction, skipped: true, at: Date.now(), item });
      this.aside.push(item);
      this.go_on(since);
      this.tell(this.texts.skipped, "open");
      this.keep();
    }

    go_on(since) {
      const long_ago = this.steps.at(-1 - KEPT);
      // Whoever goes back so far gets the item from the server again.
      if (long_ago && (long_ago.correction || long_ago.skipped)) long_ago.item = null;
      this.deck.shift();
      if (!this.deck.length && this.exhausted && this.aside.length) this.deck.push(...this.aside.splice(0));
      this.show(since);
    }

    undo() {
      const step = this.steps.pop();
      if (!step) return this.tell(this.texts.nothing_to_undo, "open");
      this.aside = this.aside.filter((item) => item.prediction !== step.prediction);
      this.deck = this.deck.filter((item) => item.prediction !== step.prediction);
      const unsent = this.outbox.findIndex((task) => task.step === step && task.kind === "word" && !task.sent);
      if (unsent >= 0) this.outbox.splice(unsent, 1);
      else if (!step.skipped || !step.item) this.outbox.push({ kind: "undo", key: step.key, step });
      if (step.item) {
        this.deck.unshift(step.item);
        this.show();
      }
      this.tell(step.skipped ? this.texts.unskipped : this.texts.undone, "open");
      this.flush();
    }

    // ---- words on their way ------------------------------------------------------------------------------------
    get pending() {
      return this.outbox.filter((task) => task.kind === "word").length;
    }

    async flush() {
      this.keep();
      if (this.flushing) return;
      this.flushing = true;
      try {
        while (this.outbox.length) {
          if (this.outbox[0].kind === "undo") await this.send_undo(this.outbox[0]);
          else await this.send_words();
          this.keep();
        }
      } finally {
        this.flushing = false;
        this.count();
      }
    }

    async send_words() {
      const rest = this.outbox.findIndex((task) => task.kind !== "word");
      const batch = this.outbox.slice(0, rest < 0 ? 20 : Math.min(rest, 20));
      for (const task of batch) task.sent = true;
      try {
        const reply = await this.post.ask("words", { words: batch.map((task) => task.word) });
        this.done = reply.done;
        this.outbox.splice(0, batch.length);
        const lost = [];
        for (const [place, result] of reply.results.entries()) {
          const { step } = batch[place];
          if (result.problem) lost.push([step, result.problem]);
          else if (step) step.correction = result.correction;
        }
        const last = batch.at(-1).step;
        if (lost.length) this.roll_back(lost.map(([step]) => step), fill(this.texts.not_stored, { detail: lost[0][1] }));
        else if (!this.pending && last) this.tell(fill(this.texts.stored, { answer: this.answers[last.answer].title }), "good");
      } catch (error) {
        // Later words were said on what a person saw after these: all of them come back, in their order.
        const steps = this.outbox.filter((task) => task.kind === "word").map((task) => task.step);
        this.outbox = this.outbox.filter((task) => task.kind === "undo" && task.step.correction);
        this.roll_back(steps, this.reason_of(error, this.texts.not_stored));
      }
    }

    async send_undo(task) {
      const { step } = task;
      try {
        if (step.correction || !step.item) {
          const reply = await this.post.ask("undo", { prediction: step.prediction, correction: step.correction || null, blind: this.form.chosen.blind });
          this.done = reply.done;
          if (!step.item) {
            this.deck.unshift(this.prepared(reply.item));
            this.show();
          }
        }
      } catch (error) {
        this.steps.push(step);
        this.deck = this.deck.filter((item) => item.prediction !== step.prediction);
        this.show();
        this.tell(this.reason_of(error, this.texts.not_undone), "bad");
      }
      this.outbox.shift();
    }

    roll_back(steps, why) {
      const back = steps.filter(Boolean);
      this.steps = this.steps.filter((step) => !back.includes(step));
      const gone = new Set(back.map((step) => step.prediction));
      const items = back.map((step) => step.item).filter(Boolean);
      this.deck = [...items, ...this.deck.filter((item) => !gone.has(item.prediction))];
      this.show();
      this.tell(why, "bad");
    }

    reason_of(error, text) {
      if (error.status === 401) return this.texts.signed_out;
      if (error.status === 403) return this.texts.forbidden;
      return error.status ? fill(text, { detail: error.message }) : this.texts.away;
    }

    // ---- the queue ---------------------------------------------------------------------------------------------
    get held() {
      const items = [...this.deck, ...this.aside].map((item) => item.prediction);
      return [...new Set([...items, ...this.outbox.map((task) => task.step?.prediction).filter(Boolean)])];
    }

    look() {
      const left = this.held;
      this.generation += 1;
      this.deck = [];
      this.aside = [];
      this.exhausted = false;
      this.getting = false;
      this.root.dataset.state = "loading";
      this.show();
      if (left.length) this.leave(left);
    }

    async get() {
      if (this.getting || this.exhausted || this.deck.length >= LOW) return;
      this.getting = true;
      const { generation } = this;
      const { order, blind, sought } = this.form.chosen;
      try {
        const reply = await this.post.ask("items", { held: this.held, want: WANTED, order, blind, sought });
        if (generation !== this.generation) return this.leave(reply.items.map((item) => item.prediction));
        Object.assign(this, { waiting: reply.waiting, done: reply.done });
        window.nightshift.keys?.of(reply.reviewer);
        const was_empty = !this.deck.length;
        const known = new Set(this.held);
        this.deck.push(...reply.items.filter((item) => !known.has(item.prediction)).map((item) => this.prepared(item)));
        this.exhausted = !reply.items.length;
        if (this.exhausted && !this.deck.length) this.deck.push(...this.aside.splice(0));
        if (was_empty) this.deck.length ? this.show() : this.instead("empty");
        this.count();
      } catch (error) {
        if (generation === this.generation && !this.deck.length) this.instead("error", error);
      } finally {
        if (generation === this.generation) this.getting = false;
      }
    }

    async renew() {
      if (!this.held.length) return;
      await this.post.ask("items", { held: this.held, want: 0 }).catch(() => {});
    }

    leave(predictions) {
      if (predictions.length) this.post.ask("leave", { predictions }, { keepalive: true }).catch(() => {});
    }

    instead(state, error) {
      const is_filtered = Object.keys(this.form.chosen.sought).length > 0;
      let [title, text] = [this.texts.empty_title, this.empty[this.form.chosen.order]];
      if (is_filtered) [title, text] = [this.texts.filtered_title, this.texts.filtered];
      if (state === "error") [title, text] = [this.texts.error_title, error.message || this.texts.away];
      if (error && !error.status) text = this.texts.away;
      if (error?.status === 403) [title, text] = [this.texts.forbidden_title, this.texts.forbidden];
      if (error?.status === 401) text = this.texts.signed_out;
      const card = document.createElement("section");
      card.className = "ns-card ns-empty";
      card.append(Object.assign(document.createElement("h2"), { textContent: title }));
      card.append(Object.assign(document.createElement("p"), { textContent: text }));
      find("#ns-instead").replaceChildren(card);
      this.root.dataset.state = state;
      this.root.dataset.turn = String(Number(this.root.dataset.turn) + 1);
      this.count();
    }

    // ---- what is told ------------------------------------------------------------------------------------------
    tell(text, kind) {
      const note = find("#ns-told");
      note.textContent = text;
      note.className = `ns-told ns-notice ns-${kind}`;
    }

    count() {
      const left = this.waiting + this.deck.length + this.aside.length;
      const an_hour = this.pace();
      const told = [fill(this.texts.left, { n: left })];
      if (an_hour) told.push(fill(this.texts.pace, { n: Math.round(an_hour) }));
      const minutes = an_hour ? Math.round((60 * left) / an_hour) : null;
      if (minutes !== null && left) told.push(minutes ? fill(this.texts.time_left, { n: minutes }) : this.texts.almost);
      find("#ns-done").textContent = fill(this.texts.done, { n: this.done });
      find("#ns-pace").textContent = told.join(" · ");
      const share = this.done + left ? (100 * this.done) / (this.done + left) : 100;
      const bar = find(".ns-progress .ns-bar");
      bar.setAttribute("aria-valuenow", share.toFixed(0));
      bar.firstElementChild.style.width = `${share}%`;
      find("#undo").disabled = !this.steps.length;
      find("#again").hidden = !/empty|error/.test(this.root.dataset.state);
    }

    // Answers an hour of work: longer pauses are taken for a minute's.
    pace() {
      const at = this.steps.filter((step) => !step.skipped).map((step) => step.at / 1000);
      if (at.length < 5) return null;
      const recent = at.slice(-50);
      const worked_s = recent.slice(1).reduce((sum, moment, n) => sum + Math.min(IDLE_S, moment - recent[n]), 0);
      return worked_s > 0 ? (3600 * (recent.length - 1)) / worked_s : null;
    }

    // ---- what stays --------------------------------------------------------------------------------------------
    keep() {
      const plain = ({ key, prediction, answer, skipped, correction, at }) => ({ key, prediction, answer, skipped, correction, at });
      const outbox = this.outbox.map(({ kind, key, word, step }) => ({ kind, key, word, step: plain(step) }));
      sessionStorage.setItem(SITTING, JSON.stringify({ sitting: this.sitting, steps: this.steps.map(plain), outbox }));
    }

    // ---- events ------------------------------------------------------------------------------------------------
    bind() {
      this.root.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (!button) return;
        if (button.dataset.answer) this.answer(Number(button.dataset.answer), window.nightshift.pressed ?? event.timeStamp);
        else if (button.id === "skip") this.skip(window.nightshift.pressed ?? event.timeStamp);
        else if (button.id === "undo") this.undo();
        else if (button.id === "again") this.look();
        if (event.detail > 0 && !button.closest("form")) button.blur();
      });
      find("#reason input").addEventListener("input", (event) => {
        if (this.current) this.current.reason = event.target.value;
      });
      window.addEventListener("pagehide", () => this.leave(this.held));
      window.addEventListener("beforeunload", (event) => {
        if (this.outbox.length) event.preventDefault();
      });
      document.addEventListener("visibilitychange", () => {
        if (!document.hidden && this.root.dataset.state === "empty" && this.root.isConnected) this.look();
      });
    }
  }

  // Gradio draws the page after this has loaded.
  const begin = () => {
    const root = find("#ns-review");
    if (!root || root.dataset.begun) return;
    root.dataset.begun = "yes";
    window.nightshift.review = new Desk(root);
  };
  begin();
  new MutationObserver(begin).observe(document.body, { childList: true, subtree: true });
})();
