// What the console does without asking the server: keys, paste and drop anywhere, theme, prefetch, zoom.
// Everything is delegated from the document, because Gradio draws and redraws the page after this has loaded.
(() => {
  "use strict";
  if (window.nightshift) return;

  const find = (selector) => document.querySelector(selector);
  const reachable = (element) => element && !element.disabled && element.offsetParent !== null;

  // ---- theme: what the person chose wins over the system, and stays -------------------------------------------
  const THEME = "nightshift-theme";
  const chosen = () => localStorage.getItem(THEME);
  const dress = () => {
    const wanted = chosen();
    if (!wanted || !document.body) return;
    if (document.body.classList.contains("dark") !== (wanted === "dark")) {
      document.body.classList.toggle("dark", wanted === "dark");
    }
  };
  const turnTheme = () => {
    localStorage.setItem(THEME, document.body.classList.contains("dark") ? "light" : "dark");
    dress();
  };
  dress();

  // ---- language: kept in a cookie, which the server and Gradio both go by ---------------------------------------
  const speak = (language) => {
    document.cookie = `nightshift-language=${language}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
  };
  new MutationObserver(dress).observe(document.body, { attributes: true, attributeFilter: ["class"] });

  // ---- the bar: on a phone the present page's name is brought into sight ------------------------------------------
  const bar = new MutationObserver(() => {
    const here = find(".ns-top nav [aria-current]");
    if (!here) return;
    bar.disconnect();
    const names = here.parentElement;
    names.scrollLeft = here.offsetLeft - names.offsetLeft - (names.clientWidth - here.offsetWidth) / 2;
  });
  bar.observe(document.body, { childList: true, subtree: true });

  // ---- keys ---------------------------------------------------------------------------------------------------
  const isTyping = (target) =>
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
    !/^(button|checkbox|radio|range|file)$/.test(target.type || "");

  const isOperatedByKeyboard = (target) =>
    target instanceof HTMLElement && target.matches("button:focus-visible, a:focus-visible, summary:focus-visible");

  // A second key before the answer to the first would be a word on an item nobody has seen.
  let pressedAt = 0;
  let pressedTurn = null;
  const turn = () => find("[data-turn]")?.dataset.turn ?? null;
  const isWaiting = () =>
    /^(working|asking)$/.test(find("#ns-intake")?.dataset.state) ||
    (pressedTurn !== null && pressedTurn === turn() && performance.now() - pressedAt < 5000);

  const press = (id) => {
    const element = document.getElementById(id);
    const field = element?.querySelector("textarea, input");
    if (field) return field.focus();
    if (element?.matches("select")) {
      element.focus();
      return element.showPicker?.();
    }
    if (element?.matches("input")) return element.click();
    const button = element?.matches("button") ? element : element?.querySelector("button");
    if (!reachable(button)) return;
    if (button.closest(".ns-once")) {
      if (isWaiting()) return;
      pressedTurn = turn();
      pressedAt = performance.now();
    }
    button.click();
  };

  const sheet = () => find("#ns-sheet");
  const toggleSheet = () => (sheet()?.open ? sheet().close() : sheet()?.showModal());

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
    if (isTyping(event.target)) {
      if (event.key === "Enter" && !event.shiftKey && event.target.closest("#work")) {
        event.preventDefault();
        intake.submit();
      }
      if (event.key === "Enter" && event.target.closest("#reason")) event.target.blur();
      return;
    }
    if (event.key === "?") {
      event.preventDefault();
      return toggleSheet();
    }
    if (find("dialog[open]")) return;
    if (event.key === "Enter" && event.target.matches?.(".ns-screen")) return zoom(event.target);
    const onControl = isOperatedByKeyboard(event.target) && (event.key === " " || event.key === "Enter");
    const bound = window.nightshift.keys.buttonFor(event.key);
    if (!bound || onControl) return;
    event.preventDefault();
    if (event.repeat) return;
    window.nightshift.pressed = event.timeStamp;
    press(bound);
    delete window.nightshift.pressed;
  });

  // Gradio's own buttons: the same guard for a double click as for a key that is hit twice.
  document.addEventListener(
    "click",
    (event) => {
      const button = event.isTrusted && event.target.closest?.(".ns-once, .ns-once button");
      if (!button) return;
      if (isWaiting()) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      pressedTurn = turn();
      pressedAt = performance.now();
      if (button instanceof HTMLElement && event.detail > 0) button.blur();
    },
    true,
  );

  // ---- intake: a picture from the clipboard, a drop or the file dialog goes to the API -------------------------
  const intake = {
    file: null,
    url: null,
    trigger: null,
    running: null,

    root: () => find("#ns-intake"),
    work: () => find("#work textarea, #work input"),

    show(state, message) {
      const root = this.root();
      if (!root) return;
      root.dataset.state = state;
      document.body.dataset.intake = state;
      root.querySelector(".ns-intake-message").textContent = message || "";
    },

    take(file) {
      if (!this.root()) return;
      if (this.url) URL.revokeObjectURL(this.url);
      this.file = file;
      this.url = URL.createObjectURL(file);
      const preview = this.root().querySelector(".ns-preview");
      preview.src = this.url;
      preview.hidden = false;
      this.submit();
    },

    async submit() {
      const root = this.root();
      if (!root || !this.file) return;
      const work = this.work()?.value.trim() || "";
      if (!work) {
        this.show("asking", root.dataset.ask);
        this.work()?.focus();
        return;
      }
      if (this.file.size > Number(root.dataset.most)) return this.show("refused", root.dataset.tooLarge);
      this.running?.abort();
      const running = (this.running = new AbortController());
      this.show("working");
      const body = new FormData();
      body.append("image", this.file, this.file.name || "");
      body.append("work", work);
      try {
        const response = await fetch(root.dataset.door, { method: "POST", body, signal: running.signal });
        const answer = await response.json().catch(() => ({}));
        if (running.signal.aborted) return;
        if (!response.ok) return this.show("refused", answer.detail || `The server answered ${response.status}.`);
        this.trigger("answered", { prediction_id: answer.prediction_id, work });
      } catch (error) {
        if (running.signal.aborted) return;
        this.show("refused", "The server cannot be reached. Is Nightshift still running?");
      }
    },

    answered() {
      this.show("answered");
    },
  };

  const pictureOf = (transfer) => [...(transfer?.files || [])][0];

  document.addEventListener("paste", (event) => {
    const file = pictureOf(event.clipboardData);
    if (!file || !intake.root()) return;
    event.preventDefault();
    intake.take(file);
  });

  let dragDepth = 0;
  const dragging = (by) => {
    dragDepth = Math.max(0, by === 0 ? 0 : dragDepth + by);
    document.body.classList.toggle("ns-dragging", dragDepth > 0 && !!intake.root());
  };
  const carriesFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  document.addEventListener("dragenter", (event) => carriesFiles(event) && dragging(1));
  document.addEventListener("dragleave", (event) => carriesFiles(event) && dragging(-1));
  document.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    dragging(0);
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const file = pictureOf(event.dataTransfer);
    if (file) intake.take(file);
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "ns-file" || !event.target.files.length) return;
    intake.take(event.target.files[0]);
    event.target.value = "";
  });

  // ---- pictures: evidence and its line light up together; a click shows the picture in full ---------------------
  const light = (event, on) => {
    const mark = event.target.closest?.("[data-mark]");
    if (!mark) return;
    for (const same of document.querySelectorAll(`[data-mark="${CSS.escape(mark.dataset.mark)}"]`)) {
      same.classList.toggle("ns-lit", on);
    }
  };
  document.addEventListener("mouseover", (event) => light(event, true));
  document.addEventListener("mouseout", (event) => light(event, false));

  const write = (field, text) => {
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  };

  // A screen that is here already goes the way of one that is pasted.
  const takeRecent = async (button) => {
    const response = await fetch(button.querySelector("img").src).catch(() => null);
    if (!response?.ok) return intake.show("refused", intake.root().dataset.gone);
    intake.take(new File([await response.blob()], "recent.png", { type: "image/png" }));
  };

  const zoom = (figure) => {
    const dialog = find("#ns-zoom");
    dialog.replaceChildren(figure.cloneNode(true));
    dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    if (target.closest("#ns-zoom")) return find("#ns-zoom").close();
    if (target === sheet() || target.closest("[data-close-sheet]")) return sheet().close();
    if (target.closest("#ns-keys")) return toggleSheet();
    if (target.closest("#ns-theme")) return turnTheme();
    const language = target.closest("button[data-language]");
    if (language) return speak(language.dataset.language);
    const recent = target.closest(".ns-recent");
    if (recent) return void takeRecent(recent);
    const chip = target.closest(".ns-chip");
    if (chip) return write(intake.work(), chip.textContent);
    const figure = target.closest(".ns-screen");
    if (figure) zoom(figure);
  });

  // What a page without a script of its own has in hand, others may have as soon as it closes.
  window.addEventListener("pagehide", () => {
    const { door, sitting, held } = find("[data-held]")?.dataset ?? {};
    if (!held) return;
    const body = JSON.stringify({ sitting, predictions: held.split(" ") });
    fetch(`${door}/leave`, { method: "POST", headers: { "Content-Type": "application/json" }, body, keepalive: true });
  });

  window.nightshift = { intake };
})();
