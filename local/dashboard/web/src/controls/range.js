import { h } from "../dom.js";

/** Two ends of a range, each a slider of its own: arrow keys move them, and neither passes the other. */
export class RangeControl {
  /**
   * @param {any} control
   * @param {import("./controls.js").Page} page
   */
  constructor(control, page) {
    this.control = control;
    this.page = page;
    const { low, high, step, title } = control;
    const slider = (/** @type {string} */ name) =>
      h("input", {
        type: "range",
        min: low,
        max: high,
        step,
        "aria-label": `${title}, ${name}`,
        oninput: (/** @type {any} */ event) => this.move(event.target, false),
        onchange: (/** @type {any} */ event) => this.move(event.target, true),
      });
    this.from = slider("from");
    this.to = slider("to");
    this.output = h("output", {});
    this.track = h("div", { class: "range-track" }, this.from, this.to);
    this.element = h(
      "div",
      { class: "control range", role: "group", "aria-label": title, "data-control": control.id },
      h("span", {}, h("span", {}, title), this.output),
      this.track,
    );
  }

  /** @param {import("../state.js").View} view */
  show(view) {
    const [from, to] = view.ranges[this.control.filterId] ?? [this.control.low, this.control.high];
    this.from.value = String(from);
    this.to.value = String(to);
    this.describe();
  }

  /**
   * @param {any} moved
   * @param {boolean} isFinal
   */
  move(moved, isFinal) {
    const [from, to] = [Number(this.from.value), Number(this.to.value)];
    if (from > to) moved.value = moved === this.from ? String(to) : String(from);
    this.describe();
    const chosen = /** @type {[number, number]} */ ([Number(this.from.value), Number(this.to.value)]);
    const isWhole = chosen[0] === this.control.low && chosen[1] === this.control.high;
    this.page.setRange(this.control.filterId, isWhole ? null : chosen, isFinal);
  }

  describe() {
    const { low, high } = this.control;
    this.output.textContent = `${this.from.value} to ${this.to.value}`;
    this.track.style.setProperty("--from", String((Number(this.from.value) - low) / (high - low)));
    this.track.style.setProperty("--to", String((Number(this.to.value) - low) / (high - low)));
    // Where both ends are at the top, the lower one must be the one that can be taken.
    this.from.style.zIndex = Number(this.from.value) > (low + high) / 2 ? "2" : "1";
  }
}
