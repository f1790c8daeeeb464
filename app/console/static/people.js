// Who is signed in: their name in the bar, what their role may not do out of sight, and the door when a session is over.
// What is hidden here is refused by the server too.
(() => {
  "use strict";
  const root = document.documentElement;
  const leave = () => {
    const here = location.pathname + location.search;
    location.assign(`/login?next=${encodeURIComponent(here)}`);
  };

  const plain = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await plain(...asked);
    const url = new URL(answer.url, location.href);
    // The review page says itself that one is signed out: words may wait in it that are not stored yet.
    const is_ours = url.origin === location.origin && !url.pathname.startsWith("/console/");
    if (answer.status === 401 && is_ours) leave();
    return answer;
  };

  let me = null;
  const show = () => {
    const who = document.querySelector("#ns-who");
    if (!who || !me || who.dataset.name === me.name) return;
    who.dataset.name = me.name;
    who.querySelector("span").textContent = me.signed_in ? me.name : "";
    if (me.signed_in) who.title = who.dataset.signedIn.replace(/\{(name|role)\}/g, (_, field) => me[field]);
  };
  fetch("/v1/me")
    .then((answer) => (answer.ok ? answer.json() : null))
    .then((found) => {
      me = found;
      if (me) root.dataset.role = me.role;
      show();
    })
    .catch(() => {});
  new MutationObserver(show).observe(root, { childList: true, subtree: true });
})();
