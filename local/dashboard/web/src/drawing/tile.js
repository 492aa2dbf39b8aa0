/** A visual in its frame: title, help, what must be said about it, and the drawing itself. */
import { counted, h } from "../dom.js";
import { Gap } from "../gap.js";
import { chartAsTable } from "./asTable.js";
import { ChartView } from "./chart.js";
import { KpiView } from "./kpiView.js";
import { TableView } from "./tableView.js";

const CHARTS = ["BarChartVisual", "ComboChartVisual", "LineChartVisual", "BoxPlotVisual", "ScatterPlotVisual"];

export class TileView {
  /**
   * @param {import("../reading/definition.js").Tile} tile
   * @param {() => void} retry
   * @param {import("../reviews.js").Reviews} reviews
   */
  constructor(tile, retry, reviews) {
    this.visual = tile.visual;
    this.designWidth = tile.designWidth;
    this.retry = retry;
    this.reviews = reviews;
    /** @type {any} */
    this.view = null;
    /** @type {import("../compute.js").Outcome | null} */
    this.outcome = null;
    this.asTable = false;
    const titleId = `title-${this.visual.id}`;
    const isChart = CHARTS.includes(this.visual.kind) && !this.visual.gap;
    this.toggle = h(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-pressed": "false",
        "aria-describedby": titleId,
        onclick: () => this.turn(),
      },
      "Show as table",
    );
    this.notes = h("ul", { class: "notes" });
    this.body = h("div", { class: "tile-body" });
    this.element = h(
      "section",
      { class: `tile kind-${this.visual.kind}`, "aria-labelledby": titleId, "data-visual": this.visual.id },
      h(
        "header",
        {},
        h("h3", { id: titleId }, this.visual.title),
        isChart ? this.toggle : null,
        h("p", { class: "help" }, this.visual.help),
      ),
      this.notes,
      this.body,
    );
    const place = this.element.style;
    place.setProperty("--column", String(tile.column + 1));
    place.setProperty("--columns-wide", String(tile.columns));
    place.setProperty("--row", String(tile.row + 1));
    place.setProperty("--rows-high", String(tile.rows));
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.element.setAttribute("aria-busy", String(busy));
  }

  /**
   * @param {import("../compute.js").Outcome} outcome
   * @param {{colors: any, palette: string[]}} theme
   * @param {boolean} [isAgain] newer rows for the same choices: a reader goes on where they are
   */
  draw(outcome, theme, isAgain = false) {
    this.outcome = outcome;
    this.theme = theme;
    this.showNotes(outcome);
    if (outcome.shown === 0) {
      const left = outcome.leftOut ? ` The filters above leave out ${counted(outcome.leftOut, "row")}.` : "";
      this.showMessage("empty", `No rows for this choice.${left}`);
      return;
    }
    if (hasNoValue(outcome.result)) {
      this.showMessage("empty", `None of the ${counted(outcome.shown, "row")} has a value here.`);
      return;
    }
    const asTable = this.asTable || this.visual.kind === "TableVisual";
    const View = asTable ? TableView : this.visual.kind === "KPIVisual" ? KpiView : ChartView;
    if (!(this.view instanceof View)) {
      this.clear();
      this.view = new View(this.visual.label, this.designWidth, this.reviews.cellOf(this.visual));
      this.body.replaceChildren(this.view.element);
    }
    if (this.view instanceof TableView) {
      this.view.draw(
        this.visual.kind === "TableVisual" ? outcome.result : chartAsTable(this.visual.kind, outcome.result),
        isAgain,
      );
    } else if (this.view instanceof ChartView) {
      this.view.draw(this.visual.kind, this.visual.spec, outcome.result, theme);
    } else {
      this.view.draw(outcome.result);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this.outcome = null;
    this.notes.replaceChildren();
    if (error instanceof Gap) {
      this.showMessage("gap", error.message);
      return;
    }
    this.showMessage("failure", error instanceof Error ? error.message : String(error));
    this.body.append(h("button", { type: "button", onclick: this.retry }, "Try again"));
  }

  dispose() {
    this.clear();
  }

  /** The chart, or its numbers as a table. */
  turn() {
    this.asTable = !this.asTable;
    this.toggle.setAttribute("aria-pressed", String(this.asTable));
    if (this.outcome && this.theme) this.draw(this.outcome, this.theme);
  }

  clear() {
    this.view?.dispose();
    this.view = null;
    this.body.replaceChildren();
  }

  /**
   * @param {"empty" | "gap" | "failure"} kind
   * @param {string} text
   */
  showMessage(kind, text) {
    this.clear();
    const head = { empty: null, gap: "Not shown here", failure: "Could not be read" }[kind];
    this.body.append(
      h("div", { class: `message ${kind}`, role: "note" }, head ? h("strong", {}, head) : null, h("p", {}, text)),
    );
  }

  /** @param {import("../compute.js").Outcome} outcome */
  showNotes({ cut, leftOut, shown }) {
    const texts = [];
    if (cut) {
      texts.push(
        `Only ${cut.read.toLocaleString("en-US")} of ${counted(cut.total, "row")} were read: what is shown here is of those alone.`,
      );
    }
    if (leftOut && shown) texts.push(`The filters above leave out ${counted(leftOut, "row")}.`);
    if (this.visual.notApplied.length) texts.push(`Drawn without: ${this.visual.notApplied.join(", ")}.`);
    this.notes.replaceChildren(...texts.map((text) => h("li", {}, text)));
  }
}

/**
 * A chart without a single value would be an empty frame.
 *
 * @param {any} result
 */
function hasNoValue(result) {
  if (result.boxes) return result.boxes.length === 0;
  if (!result.series) return false;
  return result.series.every((/** @type {any} */ series) =>
    series.values.every((/** @type {any} */ value) => value === null),
  );
}
