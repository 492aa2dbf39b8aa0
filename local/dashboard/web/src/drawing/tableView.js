/**
 * A table of any number of rows whose texts wrap: TanStack Virtual measures the rows that are on the screen, the others
 * are not there. Sorted by its heads; narrow, every row is a card.
 *
 * @typedef {import("../visuals/rows.js").FilledColumn} FilledColumn
 * @typedef {{id: string, descending: boolean}} Order
 * @typedef {(column: FilledColumn, columns: FilledColumn[], row: number) => Node[] | null} OwnCell what stands in a cell
 *   in place of its value; null for the value. A control in it has `data-focus`, a name by which it is found again
 */
import { Virtualizer, elementScroll, observeElementOffset, observeElementRect } from "@tanstack/virtual-core";
import { counted, h } from "../dom.js";
import { write } from "../engine/formats.js";
import { sortRows } from "../visuals/rows.js";
import { cellContents } from "./cell.js";

const DEFAULT_WIDTH = 110;
/** Up to so many rows all of them are in the page. */
const WHOLE = 80;
const HEAD_CHARACTER = 8.2;
const CELL_CHARACTER = 7.8;
const CELL_PADDING = 18;
const MOST_FOR_HEAD = 150;
const MOST_FOR_CELL = 130;
/** So many rows are looked at for the width of their words. */
const LOOKED_AT = 40;
/** And so many characters of each. */
const LOOKED_INTO = 200;
const BEYOND = 6;
/** Rows are placed and measured at most so often for one change; scrolling goes on with the rest. */
const ROUNDS = 4;
const ROW_HEIGHT = 34;
const CARD_HEIGHT = 420;
const NARROW = 460;
/** Columns are never narrower than this share of what the definition says: then the table scrolls. */
const LEAST_SCALE = 0.75;
/** From so many rows on a reader may want to find some. */
const FINDABLE = 12;

export class TableView {
  /**
   * @param {string} label
   * @param {number} designWidth of the tile, in the pixels that the columns' widths are given in
   * @param {OwnCell} ownCell
   */
  constructor(label, designWidth, ownCell) {
    this.designWidth = designWidth;
    this.ownCell = ownCell;
    this.isDrawing = false;
    /** @type {FilledColumn[]} */
    this.columns = [];
    /** @type {FilledColumn[]} */
    this.shown = [];
    /** @type {number[]} */
    this.given = [];
    /** @type {number[]} */
    this.rows = [];
    /** @type {Order | null} */
    this.order = null;
    this.found = "";
    /** Pixels that the columns need. */
    this.least = 0;
    this.count = h("span", { class: "row-count", role: "status" });
    this.find = h("input", { type: "search", oninput: () => this.findRows() });
    this.findLabel = h("label", { class: "find" }, h("span", {}, "Find in this table"), this.find);
    this.sortChoice = h("select", { "aria-label": "Sort by", onchange: () => this.sortByChoice() });
    this.tools = h(
      "div",
      { class: "table-tools" },
      this.findLabel,
      h("div", { class: "sort" }, h("span", { "aria-hidden": "true" }, "Sort by"), this.sortChoice),
      this.count,
    );
    this.head = h("div", { role: "row", class: "table-row table-head", "aria-rowindex": "1" });
    this.body = h("div", { role: "rowgroup", class: "table-body" });
    this.table = h(
      "div",
      { role: "table", "aria-label": label, class: "table" },
      h("div", { role: "rowgroup", class: "head-group" }, this.head),
      this.body,
    );
    this.scroller = h(
      "div",
      { class: "table-scroller", tabindex: "0", role: "region", "aria-label": `${label} (scrolls)` },
      this.table,
    );
    this.element = h("div", { class: "table-view" }, this.tools, this.scroller);
    this.virtualizer = new Virtualizer(this.virtualOptions());
    this.unmount = this.virtualizer._didMount();
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.element);
  }

  /**
   * @param {{columns: FilledColumn[], rows: number[]}} result
   * @param {boolean} [keepsPlace] stay where the reader has scrolled to
   */
  draw(result, keepsPlace = false) {
    const place = keepsPlace ? this.scroller.scrollTop : 0;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
    this.columns = result.columns;
    this.shown = result.columns.filter((column) => !column.hidden);
    this.given = result.rows;
    this.texts = null;
    if (this.order && !this.columns.some((column) => column.id === this.order?.id)) this.order = null;
    this.setWidths();
    this.table.setAttribute("aria-colcount", String(this.shown.length));
    this.findLabel.hidden = this.given.length < FINDABLE;
    this.drawHead();
    this.arrange();
    this.scroller.scrollTop = place;
    if (focused !== undefined) this.focusAgain(focused);
  }

  /** The control that was in use is another element now, or its row is out of sight.
   * @param {string} name
   */
  focusAgain(name) {
    const control = this.body.querySelector(`[data-focus="${CSS.escape(name)}"]`);
    (control ?? this.scroller).focus({ preventScroll: true });
  }

  dispose() {
    this.observer.disconnect();
    this.unmount();
  }

  /** The whole canvas of a sheet shrinks with the window, and so do the columns. */
  setWidths() {
    const scale = Math.min(1, Math.max(LEAST_SCALE, this.scroller.clientWidth / this.designWidth || 1));
    const widths = this.shown.map((column) =>
      Math.max(Math.floor((column.width ?? DEFAULT_WIDTH) * scale), this.wordWidth(column)),
    );
    this.table.style.setProperty("--columns", widths.map((width) => `minmax(${width}px, ${width}fr)`).join(" "));
    this.least = widths.reduce((sum, width) => sum + width, 0);
    this.table.style.setProperty("--least", `${this.least}px`);
  }

  /**
   * Room for the longest word of a column's head and of its first rows, so that words are not broken.
   *
   * @param {FilledColumn} column
   */
  wordWidth(column) {
    const first = this.given.slice(0, LOOKED_AT).map((row) => write(column.values[row], column.format));
    const inCells = Math.min(MOST_FOR_CELL, longestWord(first) * CELL_CHARACTER);
    const inHead = Math.min(MOST_FOR_HEAD, longestWord([headOf(column)]) * HEAD_CHARACTER);
    return Math.ceil(Math.max(inCells, inHead)) + CELL_PADDING;
  }

  drawHead() {
    this.head.replaceChildren(
      ...this.shown.map((column) => {
        const direction = this.order?.id === column.id ? (this.order.descending ? "descending" : "ascending") : "none";
        const arrow = { none: "", ascending: "▲", descending: "▼" }[direction];
        const button = h(
          "button",
          { type: "button", onclick: () => this.sortByHead(column.id), "data-column": column.id },
          h("span", {}, headOf(column)),
          h("span", { class: "arrow", "aria-hidden": "true" }, arrow),
        );
        return h("div", { role: "columnheader", class: `align-${column.align}`, "aria-sort": direction }, button);
      }),
    );
    const options = this.shown.flatMap((column) =>
      [false, true].map((descending) =>
        h(
          "option",
          { value: JSON.stringify({ id: column.id, descending }) },
          `${headOf(column)} ${descending ? "▼" : "▲"}`,
        ),
      ),
    );
    this.sortChoice.replaceChildren(h("option", { value: "" }, "as given"), ...options);
    this.sortChoice.value = this.order ? JSON.stringify(this.order) : "";
  }

  /** Up, down, and as given.
   * @param {string} id
   */
  sortByHead(id) {
    const isMine = this.order?.id === id;
    if (!isMine) this.order = { id, descending: false };
    else if (!this.order?.descending) this.order = { id, descending: true };
    else this.order = null;
    this.drawHead();
    this.head.querySelector(`[data-column="${CSS.escape(id)}"]`)?.focus();
    this.arrange();
  }

  sortByChoice() {
    this.order = this.sortChoice.value ? JSON.parse(this.sortChoice.value) : null;
    this.drawHead();
    this.arrange();
  }

  findRows() {
    this.found = this.find.value.trim().toLowerCase();
    this.arrange();
  }

  /** The rows that are found, in their order. */
  arrange() {
    let rows = this.given;
    if (this.found && !this.findLabel.hidden) {
      this.texts ??= new Map(this.given.map((row) => [row, this.textOf(row)]));
      rows = rows.filter((row) => this.texts?.get(row)?.includes(this.found));
    }
    this.rows = this.order ? sortRows(this.columns, rows, [this.order]) : rows;
    const all = this.given.length;
    this.count.textContent =
      this.rows.length === all
        ? counted(all, "row")
        : `${this.rows.length.toLocaleString("en-US")} of ${counted(all, "row")} found`;
    this.table.setAttribute("aria-rowcount", String(this.rows.length + 1));
    this.scroller.scrollTop = 0;
    this.body.replaceChildren();
    // Each of these reports a change; the rows are drawn once, when all is set.
    this.isDrawing = true;
    this.virtualizer.setOptions(this.virtualOptions());
    this.virtualizer.measure();
    this.virtualizer._willUpdate();
    this.isDrawing = false;
    this.drawRows();
  }

  /** @param {number} row */
  textOf(row) {
    return this.shown
      .map((column) => write(column.values[row], column.format))
      .join("\n")
      .toLowerCase();
  }

  /** @returns {any} */
  virtualOptions() {
    return {
      count: this.rows.length,
      getScrollElement: () => this.scroller,
      estimateSize: () => (this.isNarrow() ? CARD_HEIGHT : ROW_HEIGHT),
      getItemKey: (/** @type {number} */ index) => this.rows[index],
      overscan: this.rows.length <= WHOLE ? WHOLE : BEYOND,
      observeElementRect,
      observeElementOffset,
      scrollToFn: elementScroll,
      onChange: () => this.drawRows(),
    };
  }

  isNarrow() {
    return this.element.classList.contains("cards");
  }

  fit() {
    this.setWidths();
    const { clientWidth } = this.element;
    const isNarrow = clientWidth > 0 && clientWidth < NARROW && (this.shown.length > 3 || this.least > clientWidth);
    if (isNarrow !== this.isNarrow()) {
      this.element.classList.toggle("cards", isNarrow);
      this.arrange();
    }
  }

  /** Put the rows that are to be seen into the page; measuring them may show that others are to be seen. */
  drawRows() {
    // Measuring reports a change at once, from within.
    if (this.isDrawing) return;
    this.isDrawing = true;
    for (let round = 0; round < ROUNDS && this.placeRows(); round += 1);
    this.isDrawing = false;
  }

  /** @returns {boolean} whether there were new rows to measure */
  placeRows() {
    const items = this.virtualizer.getVirtualItems();
    this.body.style.height = `${this.virtualizer.getTotalSize()}px`;
    const present = new Map([...this.body.children].map((element) => [element.dataset.index, element]));
    const wanted = new Set(items.map((item) => String(item.index)));
    for (const [index, element] of present) if (!wanted.has(index)) element.remove();
    const made = [];
    let after = null;
    for (const item of items) {
      let element = present.get(String(item.index));
      if (!element) {
        element = this.rowElement(item.index);
        if (after) after.after(element);
        else this.body.prepend(element);
        made.push(element);
      }
      element.style.transform = `translateY(${item.start}px)`;
      after = element;
    }
    for (const element of made) this.virtualizer.measureElement(element);
    return made.length > 0;
  }

  /** @param {number} index */
  rowElement(index) {
    const row = this.rows[index];
    return h(
      "div",
      { role: "row", class: "table-row", "aria-rowindex": String(index + 2), "data-index": String(index) },
      ...this.shown.map((column) =>
        h(
          "div",
          { role: "cell", class: `align-${column.align}`, "data-title": headOf(column) },
          h("div", { dir: "auto" }, ...this.contentsOf(column, row)),
        ),
      ),
    );
  }

  /**
   * @param {FilledColumn} column
   * @param {number} row
   */
  contentsOf(column, row) {
    const own = this.ownCell(column, this.columns, row);
    return own ?? cellContents(column.values[row], column.format, column.width ?? DEFAULT_WIDTH);
  }
}

/**
 * A head without a title would be a button without a name.
 *
 * @param {FilledColumn} column
 */
function headOf(column) {
  return column.title.trim() || column.column.replaceAll("_", " ");
}

/** @param {string[]} texts */
function longestWord(texts) {
  return texts
    .flatMap((text) => text.slice(0, LOOKED_INTO).split(/\s+/))
    .reduce((most, word) => Math.max(most, word.length), 0);
}
