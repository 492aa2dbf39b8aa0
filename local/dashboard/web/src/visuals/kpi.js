/**
 * One number, beside another one that it is compared with.
 *
 * @typedef {import("../engine/table.js").Value} Value
 * @typedef {import("../engine/formats.js").NumberFormat} NumberFormat
 * @typedef {import("../reading/fields.js").Measure} Measure
 * @typedef {{dataSet: string, value: Measure, target: Measure | null, comparison: string, comparisonFormat: NumberFormat,
 *   arrows: boolean, primaryIsComparison: boolean}} KpiSpec
 * @typedef {{value: Value, target: Value, difference: number | null, spec: KpiSpec}} KpiResult
 */
import { aggregate } from "../engine/aggregate.js";
import { readNumberFormat } from "../engine/formats.js";
import { Gap, unknownNames } from "../gap.js";
import { dataSetOf, readAggregatedMeasure } from "../reading/fields.js";

const COMPARISONS = ["DIFFERENCE", "PERCENT_DIFFERENCE", "PERCENT"];
const KNOWN_OPTIONS = [
  "ProgressBar",
  "TrendArrows",
  "SecondaryValue",
  "Comparison",
  "PrimaryValueDisplayType",
  "PrimaryValueFontConfiguration",
  "SecondaryValueFontConfiguration",
  "Sparkline",
  "VisualLayoutOptions",
];

/**
 * @param {any} configuration QuickSight's `KPIConfiguration`
 * @param {string[]} notApplied
 * @returns {KpiSpec}
 */
export function readKpi(configuration, notApplied) {
  const wells = configuration.FieldWells ?? {};
  const options = configuration.KPIOptions ?? {};
  if ((wells.TrendGroups ?? []).length) throw new Gap("it compares along a trend");
  if ((wells.Values ?? []).length !== 1) throw new Gap(`it has ${(wells.Values ?? []).length} values`);
  notApplied.push(...unknownNames(configuration, ["FieldWells", "KPIOptions"]));
  notApplied.push(...unknownNames(options, KNOWN_OPTIONS));
  if (options.ProgressBar?.Visibility === "VISIBLE") notApplied.push("ProgressBar");
  if (options.Sparkline?.Visibility === "VISIBLE") notApplied.push("Sparkline");
  const comparison = options.Comparison?.ComparisonMethod ?? "PERCENT_DIFFERENCE";
  if (!COMPARISONS.includes(comparison)) throw new Gap(`it compares by ${comparison}`);
  const value = readAggregatedMeasure(wells.Values[0]);
  const target = wells.TargetValues?.length ? readAggregatedMeasure(wells.TargetValues[0]) : null;
  return {
    dataSet: dataSetOf(target ? [value, target] : [value]),
    value,
    target,
    comparison,
    comparisonFormat: readNumberFormat(options.Comparison?.ComparisonFormat),
    arrows: options.TrendArrows?.Visibility !== "HIDDEN",
    primaryIsComparison: options.PrimaryValueDisplayType === "COMPARISON",
  };
}

/**
 * @param {KpiSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {number[]} rows
 * @returns {KpiResult}
 */
export function computeKpi(spec, table, rows) {
  const over = (/** @type {Measure} */ measure) =>
    rows.length ? aggregate(table.column(measure.column).values, rows, measure.aggregation ?? { name: "SUM" }) : null;
  const value = over(spec.value);
  const target = spec.target ? over(spec.target) : null;
  return { value, target, difference: difference(spec.comparison, value, target), spec };
}

/**
 * @param {string} method
 * @param {Value} value
 * @param {Value} target
 */
function difference(method, value, target) {
  if (typeof value !== "number" || typeof target !== "number") return null;
  if (method === "DIFFERENCE") return value - target;
  if (target === 0) return null;
  return method === "PERCENT" ? value / target : (value - target) / target;
}
