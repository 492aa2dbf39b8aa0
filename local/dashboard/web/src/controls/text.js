import { h } from "../dom.js";

const PAUSE_MILLISECONDS = 350;
const IN_FILE = "Works in the served page; here use “Find in this table”.";

/** A text that is typed, for a parameter; it takes effect after a pause or with Enter. */
export class TextControl {
  /**
   * @param {any} control
   * @param {import("./controls.js").Page} page
   */
  constructor(control, page) {
    this.control = control;
    const id = `control-${control.id}`;
    this.input = h("input", {
      type: "search",
      id,
      disabled: page.isFile,
      "aria-describedby": page.isFile ? `${id}-note` : null,
    });
    const choose = () => {
      clearTimeout(this.timer);
      page.choose(control.parameter, this.input.value);
    };
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(choose, PAUSE_MILLISECONDS);
    });
    this.input.addEventListener("change", choose);
    this.element = h(
      "div",
      { class: "control", "data-control": control.id },
      h("label", { for: id }, control.title),
      this.input,
      page.isFile ? h("small", { id: `${id}-note` }, IN_FILE) : null,
    );
  }

  /** @param {import("../state.js").View} view */
  show(view) {
    const value = view.parameters[this.control.parameter];
    // What is being typed is newer than what was chosen.
    if (document.activeElement !== this.input || this.input.value === "") this.input.value = value;
  }
}
