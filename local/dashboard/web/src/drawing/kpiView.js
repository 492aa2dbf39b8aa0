/** One number, large; below it what it is compared with, and the difference. */
import { h, unseen } from "../dom.js";
import { NOTHING, write, writeNumber } from "../engine/formats.js";

export class KpiView {
  constructor() {
    this.element = h("div", { class: "kpi" });
  }

  /** @param {import("../visuals/kpi.js").KpiResult} result */
  draw({ value, target, difference, spec }) {
    const isPercent = spec.comparison !== "DIFFERENCE";
    const comparisonFormat = isPercent ? { ...spec.comparisonFormat, percent: true } : spec.comparisonFormat;
    const lines = [];
    if (spec.target) {
      const name = spec.target.column.replaceAll("_", " ");
      lines.push(h("div", {}, h("span", {}, name), h("b", {}, write(target, spec.target.format))));
    }
    if (spec.target) {
      const label = { DIFFERENCE: "difference", PERCENT: "share", PERCENT_DIFFERENCE: "change" }[spec.comparison] ?? "";
      lines.push(h("div", {}, h("span", {}, label), h("b", {}, this.difference(difference, comparisonFormat, spec))));
    }
    this.element.replaceChildren(
      h("div", { class: "kpi-value" }, write(value, spec.value.format), value === null ? unseen(" no value") : null),
      h("div", { class: "kpi-lines" }, ...lines),
    );
  }

  /**
   * @param {number | null} difference
   * @param {import("../engine/formats.js").NumberFormat} format
   * @param {import("../visuals/kpi.js").KpiSpec} spec
   */
  difference(difference, format, spec) {
    if (difference === null) return NOTHING;
    const sign = difference > 0 && spec.comparison !== "PERCENT" ? "+" : "";
    // No red, no green: the definition does not say whether more is better; the title does.
    const arrow = spec.arrows && difference !== 0 ? (difference > 0 ? " ▲" : " ▼") : "";
    return h("span", {}, `${sign}${writeNumber(difference, format)}`, h("span", { "aria-hidden": "true" }, arrow));
  }

  dispose() {}
}
