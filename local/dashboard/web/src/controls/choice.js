import { h } from "../dom.js";

/** One of several values, for a parameter. */
export class ChoiceControl {
  /**
   * @param {any} control
   * @param {import("./controls.js").Page} page
   */
  constructor(control, page) {
    this.control = control;
    this.page = page;
    const id = `control-${control.id}`;
    this.select = h("select", { id, onchange: () => page.choose(control.parameter, this.select.value) });
    const label = h("label", { for: id }, control.title);
    this.element = h("div", { class: "control", "data-control": control.id }, label, this.select);
  }

  /** @param {import("../state.js").View} view */
  async show(view) {
    const chosen = view.parameters[this.control.parameter];
    const options = await this.page.optionsOf(this.control, view);
    // A value of a shared link, or of another task, may not be among them: it is shown all the same.
    const values = options.includes(chosen) ? options : [chosen, ...options];
    const texts = values.map((value) => {
      const name = value === "" ? "(empty)" : value;
      return this.page.holds(this.control.parameter, value) ? name : `${name} (not in this file)`;
    });
    const written = JSON.stringify([values, texts]);
    if (written !== this.written) {
      this.select.replaceChildren(...values.map((value, place) => h("option", { value }, texts[place])));
      this.written = written;
    }
    this.select.value = chosen;
  }
}
