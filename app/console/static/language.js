// Stands first in every page: the language is the one that was chosen here, else the browser's, else English.
(() => {
  "use strict";
  const known = LANGUAGES;
  const chosen = document.cookie.match(/(?:^|; )COOKIE=([a-z]+)/)?.[1];
  const wanted = [chosen, ...navigator.languages.map((each) => each.slice(0, 2))];
  const language = wanted.find((each) => known.includes(each)) || known[0];
  document.cookie = `COOKIE=${language}; path=/; max-age=31536000; samesite=lax`;
  document.documentElement.lang = language;
  // Gradio asks here.
  Object.defineProperty(navigator, "language", { get: () => language });
})();
