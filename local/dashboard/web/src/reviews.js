/**
 * What a person says of a row: whether the model was right. Offered by a server only, for one data set.
 *
 * @typedef {import("./visuals/rows.js").FilledColumn} FilledColumn
 * @typedef {{task: string, event_id: string, source: string | null}} Event
 */
import { tellServer } from "./answers.js";
import { h } from "./dom.js";

const COLUMN = "review";
const VERDICTS = [
  { verdict: "confirmed", title: "Confirm", meaning: "is right" },
  { verdict: "rejected", title: "Reject", meaning: "is wrong" },
];

export class Reviews {
  /**
   * @param {{chosenTask: () => string, announce: (text: string) => void}} page
   */
  constructor({ chosenTask, announce }) {
    this.chosenTask = chosenTask;
    this.announce = announce;
    /** @type {import("./reading/document.js").DashboardDocument["reviews"]} */
    this.offered = null;
    /** What was said on this page since its rows were read, by event. @type {Map<string, string>} */
    this.said = new Map();
  }

  /** Of rows that were read anew nothing needs to be remembered.
   * @param {import("./reading/document.js").DashboardDocument["reviews"]} offered
   */
  offer(offered) {
    this.offered = offered;
    this.said.clear();
  }

  /**
   * What stands in the cells of a visual's table in place of their values.
   *
   * @param {import("./reading/definition.js").Visual} visual
   * @returns {import("./drawing/tableView.js").OwnCell}
   */
  cellOf(visual) {
    return (column, columns, row) => {
      const isOffered =
        column.column === COLUMN &&
        visual.kind === "TableVisual" &&
        visual.spec.dataSet === this.offered?.data_set &&
        this.offered?.tasks.includes(this.chosenTask());
      return isOffered ? [this.cell(columns, row)] : null;
    };
  }

  /**
   * @param {FilledColumn[]} columns
   * @param {number} row
   * @returns {Node}
   */
  cell(columns, row) {
    const valueOf = (/** @type {string} */ name) =>
      /** @type {any} */ (columns.find((column) => column.column === name)?.values[row] ?? null);
    const event = { task: this.chosenTask(), event_id: valueOf("event_id"), source: valueOf("source") };
    const key = JSON.stringify(event);
    const words = h("span", { class: "verdict" });
    const failure = h("span", { class: "not-taken", role: "alert" });
    let isSending = false;
    const show = () => {
      const said = this.said.get(key) ?? valueOf(COLUMN);
      words.textContent = said;
      for (const button of buttons) {
        button.setAttribute("aria-pressed", String(button.dataset.verdict === said));
        // Not `disabled`, which would take the focus away.
        button.setAttribute("aria-disabled", String(isSending));
      }
    };
    const give = async (/** @type {string} */ verdict) => {
      if (isSending) return;
      isSending = true;
      failure.textContent = "";
      show();
      try {
        const { label } = await tellServer("reviews", { ...event, verdict });
        this.said.set(key, verdict);
        this.announce(`The text is ${verdict}. The next run learns it as ${label}.`);
      } catch (error) {
        failure.textContent = `Not taken: ${error instanceof Error ? error.message : String(error)}`;
      }
      isSending = false;
      show();
    };
    const buttons = VERDICTS.map(({ verdict, title, meaning }) =>
      h(
        "button",
        {
          type: "button",
          class: "judge",
          "data-verdict": verdict,
          "data-focus": `${verdict} ${key}`,
          "aria-label": `${title}: ${valueOf("label")} ${meaning}`,
          onclick: () => void give(verdict),
        },
        title,
      ),
    );
    show();
    return h("div", { class: "review" }, h("div", { class: "judges" }, ...buttons), words, failure);
  }
}
