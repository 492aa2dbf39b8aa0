/**
 * Fields of a visual's wells: which column, how its values are put together, how they are written.
 *
 * @typedef {import("../engine/formats.js").Format} Format
 * @typedef {{role: "dimension", kind: "text" | "number" | "time", id: string, dataSet: string, column: string,
 *   granularity: string | null, format: Format}} Dimension
 * @typedef {{role: "measure", id: string, dataSet: string, column: string,
 *   aggregation: import("../engine/aggregate.js").Aggregation | null, format: Format}} Measure
 * @typedef {Dimension | Measure} Field
 */
import { patternOf } from "../engine/dates.js";
import { PLAIN_NUMBER, readNumberFormat } from "../engine/formats.js";
import { Gap, onlyMember } from "../gap.js";

const DAY = "DAY";
const DEFAULT_AGGREGATION = "SUM";

/**
 * @param {Record<string, any>} json QuickSight's `DimensionField`
 * @returns {Dimension}
 */
export function readDimension(json) {
  const [kind, field] = onlyMember(json);
  const common = { role: /** @type {const} */ ("dimension"), ...place(field), granularity: null };
  switch (kind) {
    case "CategoricalDimensionField":
      return { ...common, kind: "text", format: { kind: "text", nothing: null } };
    case "NumericalDimensionField":
      return { ...common, kind: "number", format: readNumberFormat(field.FormatConfiguration?.FormatConfiguration) };
    case "DateDimensionField": {
      const granularity = field.DateGranularity ?? DAY;
      const pattern = field.FormatConfiguration?.DateTimeFormat ?? patternOf(granularity);
      return { ...common, kind: "time", granularity, format: { kind: "time", pattern, nothing: null } };
    }
    default:
      throw new Gap(`a dimension of kind ${kind} is not known here`);
  }
}

/**
 * @param {Record<string, any>} json QuickSight's `MeasureField`
 * @returns {Measure}
 */
export function readMeasure(json) {
  const [kind, field] = onlyMember(json);
  const common = { role: /** @type {const} */ ("measure"), ...place(field) };
  switch (kind) {
    case "NumericalMeasureField": {
      const format = readNumberFormat(field.FormatConfiguration?.FormatConfiguration);
      return { ...common, aggregation: readNumericalAggregation(field.AggregationFunction), format };
    }
    case "CategoricalMeasureField":
      return { ...common, aggregation: { name: field.AggregationFunction ?? "COUNT" }, format: PLAIN_NUMBER };
    case "DateMeasureField": {
      const name = field.AggregationFunction ?? "COUNT";
      const isTime = name === "MIN" || name === "MAX";
      const pattern = field.FormatConfiguration?.DateTimeFormat ?? patternOf("MINUTE");
      return {
        ...common,
        aggregation: { name },
        format: isTime ? { kind: "time", pattern, nothing: null } : PLAIN_NUMBER,
      };
    }
    default:
      throw new Gap(`a measure of kind ${kind} is not known here`);
  }
}

/**
 * A measure that is put together over rows; QuickSight sums where the definition names no aggregation.
 *
 * @param {Record<string, any>} json
 * @returns {Measure & {aggregation: import("../engine/aggregate.js").Aggregation}}
 */
export function readAggregatedMeasure(json) {
  const measure = readMeasure(json);
  return { ...measure, aggregation: measure.aggregation ?? { name: DEFAULT_AGGREGATION } };
}

/**
 * @param {Record<string, any> | undefined} json QuickSight's `NumericalAggregationFunction`
 * @returns {import("../engine/aggregate.js").Aggregation | null}
 */
export function readNumericalAggregation(json) {
  if (!json) return null;
  const [kind, value] = onlyMember(json);
  if (kind === "SimpleNumericalAggregation") return { name: value };
  if (kind === "PercentileAggregation") return { name: "PERCENTILE", percentile: value.PercentileValue };
  throw new Gap(`an aggregation of kind ${kind} is not known here`);
}

/** @param {any} json */
function place(json) {
  return { id: json.FieldId, dataSet: json.Column.DataSetIdentifier, column: json.Column.ColumnName };
}

/**
 * The one data set of a visual's fields.
 *
 * @param {{dataSet: string}[]} fields
 */
export function dataSetOf(fields) {
  const names = [...new Set(fields.map((field) => field.dataSet))];
  if (names.length !== 1) {
    throw new Gap(
      names.length ? `the visual has fields of several data sets (${names.join(", ")})` : "the visual has no fields",
    );
  }
  return names[0];
}

/**
 * The titles that axis labels give to fields: field id -> title.
 *
 * @param {...any} labelOptions QuickSight's `ChartAxisLabelOptions`
 * @returns {Map<string, string>}
 */
export function fieldTitles(...labelOptions) {
  const titles = new Map();
  for (const options of labelOptions) {
    for (const label of options?.AxisLabelOptions ?? []) {
      if (label.ApplyTo && label.CustomLabel) titles.set(label.ApplyTo.FieldId, label.CustomLabel);
    }
  }
  return titles;
}
