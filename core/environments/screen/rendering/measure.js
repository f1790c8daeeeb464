// What stands where on a rendered page, as fractions of its width and height.
() => {
  const wide = innerWidth, high = innerHeight;
  const share = (box) => [box.left / wide, box.top / high, box.right / wide, box.bottom / high].map((edge) => Math.round(edge * 1e5) / 1e5);
  const clipped = (element) => {
    const own = element.getBoundingClientRect();
    const box = { left: Math.max(own.left, 0), top: Math.max(own.top, 0), right: Math.min(own.right, wide), bottom: Math.min(own.bottom, high) };
    for (let above = element.parentElement; above; above = above.parentElement) {
      if (getComputedStyle(above).overflow === "visible") continue;
      const edge = above.getBoundingClientRect();
      box.left = Math.max(box.left, edge.left); box.top = Math.max(box.top, edge.top);
      box.right = Math.min(box.right, edge.right); box.bottom = Math.min(box.bottom, edge.bottom);
    }
    return box;
  };
  const shows = (element, x, y) => {
    const hit = document.elementFromPoint(x, y);
    return hit !== null && (element === hit || element.contains(hit));
  };
  const visible = (element, box) => {
    let seen = 0;
    for (let i = 0; i < 6; i++) for (let j = 0; j < 6; j++)
      seen += shows(element, box.left + (i + 0.5) / 6 * (box.right - box.left), box.top + (j + 0.5) / 6 * (box.bottom - box.top));
    return seen / 36;
  };
  const whole = (element) => { const box = element.getBoundingClientRect(); return box.width * box.height; };
  const area = (box) => Math.max(0, box.right - box.left) * Math.max(0, box.bottom - box.top);
  const text = (element) => element.innerText.replace(/\s+/g, " ").trim();

  const windows = [...document.querySelectorAll("[data-window]")].map((element) => {
    const box = clipped(element);
    return { title: text(element.querySelector("[data-title]")), box: share(box), front: element.classList.contains("front"), visible: visible(element, box) };
  });
  const phone = document.querySelector("[data-phone]");
  const title = phone ? text(phone.querySelector("[data-title]")) : windows[windows.length - 1].title;

  const elements = [];
  for (const element of document.querySelectorAll("[data-el]")) {
    const box = clipped(element);
    if (area(box) < 60 || area(box) < whole(element) / 2 && element.dataset.el === "button" || visible(element, box) < 0.5) continue;
    elements.push({ kind: element.dataset.el, box: share(box), text: ["image", "video", "table"].includes(element.dataset.el) ? "" : text(element) });
  }

  // Words that can be seen, put together to lines within the block that they flow in.
  const block = (element) => { while (getComputedStyle(element).display === "inline") element = element.parentElement; return element; };
  const lines = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let last = null;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!parent || parent.tagName === "STYLE" || !node.data.trim()) continue;
    const around = block(parent);
    for (const found of node.data.matchAll(/\S+/g)) {
      const range = document.createRange();
      range.setStart(node, found.index); range.setEnd(node, found.index + found[0].length);
      const box = range.getBoundingClientRect();
      if (box.width < 1 || box.left < 0 || box.top < 0 || box.right > wide + 1 || box.bottom > high + 1) continue;
      const y = (box.top + box.bottom) / 2;
      if (!shows(parent, box.left + 1, y) || !shows(parent, box.right - 1, y)) continue;
      if (last && last.around === around && Math.abs(last.bottom - box.bottom) < 4 && box.left - last.right < box.height * 1.5 && box.left >= last.right - 1) {
        last.text += (box.left - last.right > 1 ? " " : "") + found[0];
        last.right = box.right; last.top = Math.min(last.top, box.top); last.bottom = Math.max(last.bottom, box.bottom);
      } else {
        last = { around, text: found[0], left: box.left, top: box.top, right: box.right, bottom: box.bottom };
        lines.push(last);
      }
    }
  }
  return { title, windows, elements, lines: lines.map((line) => ({ text: line.text, box: share(line) })) };
}
