// Asking the server for things while the person goes on: what may pass is tried again, what is refused says why.
(() => {
  "use strict";
  if (window.nightshift.Post) return;

  const RETRIES_MS = [400, 1200, 3000];
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  class Refused extends Error {
    constructor(status, detail) {
      super(detail);
      this.status = status;
    }
  }

  // `told` is called when an answer does not come and is asked for again. Errors have a `status` where there was an answer.
  window.nightshift.Post = class {
    constructor(door, always, told) {
      Object.assign(this, { door, always, told });
    }

    async ask(what, body, options = {}) {
      for (let tries = 0; ; tries += 1) {
        try {
          return await this.once(what, body, options);
        } catch (error) {
          const may_pass = !error.status || error.status === 429 || error.status >= 500;
          if (!may_pass || tries >= RETRIES_MS.length || options.keepalive) throw error;
          if (tries > 0) this.told();
          await wait(RETRIES_MS[tries]);
        }
      }
    }

    async once(what, body, options) {
      const response = await fetch(`${this.door}/${what}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...this.always, ...body }),
        ...options,
      });
      if (response.status === 204) return null;
      const answer = await response.json().catch(() => ({}));
      if (response.ok) return answer;
      throw new Refused(response.status, typeof answer.detail === "string" ? answer.detail : `status ${response.status}`);
    }
  };
})();
