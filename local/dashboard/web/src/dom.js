/** Elements, made without HTML: text is always put in as text. */

/**
 * @param {string} name
 * @param {Record<string, any>} [attributes] `on...` are listeners, `class` and the rest attributes; null leaves one out
 * @param {...(Node | string | null)} children
 * @returns {any} the element
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A text for screen readers alone.
 * @param {string} text
 */
export function unseen(text) {
  return h("span", { class: "unseen" }, text);
}

/** Lets the browser draw before work goes on. */
export function nextFrame() {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

/**
 * @param {number} count
 * @param {string} one
 * @param {string} [several]
 */
export function counted(count, one, several = `${one}s`) {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : several}`;
}
