import { counted, h } from "../dom.js";

/** A list to tick, behind a button; `all` is no choice at all, so that values that come later are shown too. */
export class TicksControl {
  /**
   * @param {any} control
   * @param {import("./controls.js").Page} page
   */
  constructor(control, page) {
    this.control = control;
    this.page = page;
    /** @type {string[]} */
    this.options = [];
    const id = `list-${control.id}`;
    this.button = h("button", {
      type: "button",
      "aria-haspopup": "true",
      "aria-expanded": "false",
      "aria-controls": id,
      popovertarget: id,
    });
    this.list = h("fieldset", {}, h("legend", { class: "unseen" }, control.title));
    this.popup = h("div", { id, class: "popup", popover: "auto" }, this.list);
    this.popup.addEventListener("toggle", (/** @type {any} */ event) => this.place(event.newState === "open"));
    this.element = h(
      "div",
      { class: "control", "data-control": control.id },
      h("span", { id: `${id}-title` }, control.title),
      this.button,
      this.popup,
    );
  }

  /** @param {import("../state.js").View} view */
  async show(view) {
    const ticked = view.lists[this.control.filterId];
    this.options = await this.page.optionsOf(this.control, view);
    const values = [...new Set([...this.options, ...(ticked ?? [])])];
    const written = JSON.stringify(values);
    if (written !== this.written) {
      this.all = this.box("All", null);
      this.boxes = values.map((value) => this.box(value, value));
      this.list.replaceChildren(this.list.firstElementChild, this.all.label, ...this.boxes.map((box) => box.label));
      this.written = written;
    }
    this.all.input.checked = ticked === undefined;
    this.all.input.indeterminate = ticked !== undefined && ticked.length > 0;
    for (const box of this.boxes ?? []) box.input.checked = ticked === undefined || ticked.includes(String(box.value));
    const summary =
      ticked === undefined
        ? "all"
        : ticked.length === 0
          ? "none"
          : ticked.length === 1
            ? ticked[0]
            : counted(ticked.length, "value");
    this.button.textContent = summary;
    this.button.setAttribute("aria-label", `${this.control.title}: ${summary}`);
  }

  /**
   * @param {string} text
   * @param {string | null} value null for all
   */
  box(text, value) {
    const type = this.control.single ? "radio" : "checkbox";
    const input = h("input", { type, name: this.control.id, onchange: () => this.choose(value, input.checked) });
    return { value, input, label: h("label", {}, input, h("span", { dir: "auto" }, text)) };
  }

  /**
   * @param {string | null} value
   * @param {boolean} checked
   */
  choose(value, checked) {
    const boxes = this.boxes ?? [];
    if (value === null) {
      this.page.tick(this.control.filterId, checked ? null : []);
      return;
    }
    const values = this.control.single
      ? [value]
      : boxes.filter((box) => box.input.checked).map((box) => String(box.value));
    this.page.tick(this.control.filterId, values.length === boxes.length && !this.control.single ? null : values);
  }

  /** @param {boolean} open */
  place(open) {
    this.button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const { left, bottom, width } = this.button.getBoundingClientRect();
    this.popup.style.minWidth = `${width}px`;
    this.popup.style.top = `${bottom + 4}px`;
    this.popup.style.left = `${Math.max(8, Math.min(left, innerWidth - this.popup.offsetWidth - 8))}px`;
    this.list.querySelector("input")?.focus();
  }
}
