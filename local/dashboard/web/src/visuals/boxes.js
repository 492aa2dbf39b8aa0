/**
 * Box plots: quartiles by linear interpolation, whiskers to the farthest value within one and a half box heights.
 *
 * @typedef {{dataSet: string, group: import("../reading/fields.js").Dimension | null,
 *   value: import("../reading/fields.js").Measure, outliers: boolean, descending: boolean, titles: Map<string, string>}} BoxesSpec
 * @typedef {{name: string, count: number, min: number, q1: number, median: number, q3: number, max: number, low: number,
 *   high: number, outliers: number[]}} Box `low` and `high` are the whiskers' ends
 * @typedef {{groupTitle: string, valueTitle: string, format: import("../engine/formats.js").Format, boxes: Box[]}} BoxesResult
 */
import { quantile, sorted } from "../engine/aggregate.js";
import { write } from "../engine/formats.js";
import { groupByDimension } from "../engine/group.js";
import { sortBy } from "../engine/sort.js";
import { Gap, unknownNames } from "../gap.js";
import { dataSetOf, fieldTitles, readDimension, readMeasure } from "../reading/fields.js";
import { onlyWells, readCategoryOrders } from "./cartesianReading.js";

const WHISKER = 1.5;
const LABELS = ["CategoryLabelOptions", "PrimaryYAxisLabelOptions"];

/**
 * @param {any} configuration QuickSight's `BoxPlotChartConfiguration`
 * @param {string[]} notApplied
 * @returns {BoxesSpec}
 */
export function readBoxes(configuration, notApplied) {
  const wells = onlyWells(configuration, "BoxPlotAggregatedFieldWells", ["GroupBy", "Values"]);
  if ((wells.GroupBy ?? []).length > 1) throw new Gap("it has several fields to group by");
  if ((wells.Values ?? []).length !== 1) throw new Gap(`it has ${(wells.Values ?? []).length} values`);
  const known = ["FieldWells", "SortConfiguration", "BoxPlotOptions", "Legend", ...LABELS];
  notApplied.push(...unknownNames(configuration, known));
  const options = configuration.BoxPlotOptions ?? {};
  if (options.AllDataPointsVisibility === "VISIBLE") notApplied.push("AllDataPointsVisibility");
  const group = wells.GroupBy?.length ? readDimension(wells.GroupBy[0]) : null;
  const value = readMeasure(wells.Values[0]);
  const [order] = readCategoryOrders(configuration.SortConfiguration, group, []);
  return {
    dataSet: dataSetOf(group ? [group, value] : [value]),
    group,
    value,
    outliers: options.OutlierVisibility !== "HIDDEN",
    descending: order?.descending ?? false,
    titles: fieldTitles(...LABELS.map((name) => configuration[name])),
  };
}

/**
 * @param {BoxesSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {number[]} rows
 * @returns {BoxesResult}
 */
export function computeBoxes(spec, table, rows) {
  const { values } = table.column(spec.value.column);
  const groups = spec.group ? groupByDimension(table, rows, spec.group) : new Map([["", rows]]);
  const ordered = sortBy([...groups], [{ of: ([value]) => value, descending: spec.descending }]);
  const title = (/** @type {{id: string, column: string}} */ field) => spec.titles.get(field.id) ?? field.column;
  return {
    groupTitle: spec.group ? title(spec.group) : "",
    valueTitle: title(spec.value),
    format: spec.value.format,
    boxes: ordered.flatMap(([value, group]) => {
      const numbers = group
        .map((row) => values[row])
        .filter((number) => typeof number === "number" && !Number.isNaN(number));
      const name = spec.group ? write(value, spec.group.format) : title(spec.value);
      return numbers.length ? [boxOf(name, /** @type {number[]} */ (numbers))] : [];
    }),
  };
}

/**
 * @param {string} name
 * @param {number[]} numbers at least one
 * @returns {Box}
 */
export function boxOf(name, numbers) {
  const ascending = sorted(numbers);
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => quantile(ascending, share));
  const reach = WHISKER * (q3 - q1);
  const within = ascending.filter((number) => number >= q1 - reach && number <= q3 + reach);
  return {
    name,
    count: ascending.length,
    min: ascending[0],
    q1,
    median,
    q3,
    max: ascending[ascending.length - 1],
    // A whisker never ends inside the box, as it could where a quartile lies between two far values.
    low: Math.min(within[0], q1),
    high: Math.max(within[within.length - 1], q3),
    outliers: [...ascending.filter((number) => number < q1 - reach || number > q3 + reach)],
  };
}
