/**
 * Scatter plots: a point for each value of the label within each of the color, at the measures over its rows.
 *
 * @typedef {import("../engine/table.js").Value} Value
 * @typedef {import("../engine/formats.js").Format} Format
 * @typedef {import("../reading/fields.js").Dimension} Dimension
 * @typedef {import("../reading/fields.js").Measure} Measure
 * @typedef {{dataSet: string, x: Measure, y: Measure, color: Dimension | null, label: Dimension | null,
 *   legend: boolean, titles: Map<string, string>, colors: import("./cartesianReading.js").ColorRule[]}} PointsSpec
 * @typedef {{name: string, x: number, y: number}} Point
 * @typedef {{name: string, mark: "point", color: string | null, points: Point[], values: Value[]}} PointSeries
 *   `values` are the heights, as a chart's other series have theirs
 * @typedef {{categoryTitle: string, valueTitle: string, labelTitle: string, xFormat: Format, yFormat: Format,
 *   series: PointSeries[]}} PointsResult
 */
import { aggregate } from "../engine/aggregate.js";
import { NOTHING, write } from "../engine/formats.js";
import { groupByDimension } from "../engine/group.js";
import { sortBy } from "../engine/sort.js";
import { Gap, unknownNames } from "../gap.js";
import { dataSetOf, fieldTitles, readAggregatedMeasure, readDimension } from "../reading/fields.js";
import { colorFor, orderedColors, titleOf } from "./cartesian.js";
import { onlyWells, readColors } from "./cartesianReading.js";

const LABELS = ["XAxisLabelOptions", "YAxisLabelOptions"];
const WELLS = ["XAxis", "YAxis", "Category", "Label"];

/**
 * @param {any} configuration QuickSight's `ScatterPlotConfiguration`
 * @param {string[]} notApplied
 * @returns {PointsSpec}
 */
export function readPoints(configuration, notApplied) {
  const wells = onlyWells(configuration, "ScatterPlotCategoricallyAggregatedFieldWells", WELLS);
  for (const name of WELLS) {
    const fields = wells[name] ?? [];
    if (fields.length > 1) throw new Gap(`it has several fields in ${name}`);
    if (fields.length === 0 && name.endsWith("Axis")) throw new Gap(`it has no field in ${name}`);
  }
  notApplied.push(...unknownNames(configuration, ["FieldWells", "Legend", "VisualPalette", ...LABELS]));
  const x = readAggregatedMeasure(wells.XAxis[0]);
  const y = readAggregatedMeasure(wells.YAxis[0]);
  const color = wells.Category?.length ? readDimension(wells.Category[0]) : null;
  const label = wells.Label?.length ? readDimension(wells.Label[0]) : null;
  return {
    dataSet: dataSetOf([x, y, color, label].filter((field) => field !== null)),
    x,
    y,
    color,
    label,
    legend: configuration.Legend?.Visibility !== "HIDDEN",
    titles: fieldTitles(...LABELS.map((name) => configuration[name])),
    colors: readColors(configuration.VisualPalette),
  };
}

/**
 * @param {PointsSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {number[]} rows
 * @returns {PointsResult}
 */
export function computePoints(spec, table, rows) {
  const groups = spec.color ? groupByDimension(table, rows, spec.color) : new Map([[null, rows]]);
  const colors = spec.color ? orderedColors({ ...spec, color: spec.color }, table, rows) : [null];
  return {
    categoryTitle: titleOf(spec, spec.x),
    valueTitle: titleOf(spec, spec.y),
    labelTitle: spec.label ? titleOf(spec, spec.label) : "",
    xFormat: spec.x.format,
    yFormat: spec.y.format,
    series: colors.flatMap((color) => {
      const points = pointsOf(spec, table, /** @type {number[]} */ (groups.get(color)));
      if (points.length === 0) return [];
      const series = {
        name: spec.color ? String(color ?? NOTHING) : titleOf(spec, spec.y),
        mark: /** @type {const} */ ("point"),
        color: spec.color ? colorFor(spec, spec.color.id, color) : null,
        points,
        values: points.map((point) => point.y),
      };
      return [series];
    }),
  };
}

/**
 * @param {PointsSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {number[]} rows
 * @returns {Point[]} those that have a place, by their names
 */
function pointsOf(spec, table, rows) {
  const groups = spec.label ? groupByDimension(table, rows, spec.label) : new Map([["", rows]]);
  const over = (/** @type {Measure} */ measure, /** @type {number[]} */ group) =>
    aggregate(table.column(measure.column).values, group, measure.aggregation ?? { name: "SUM" });
  const points = [...groups].flatMap(([value, group]) => {
    const [x, y] = [over(spec.x, group), over(spec.y, group)];
    const name = spec.label ? write(value, spec.label.format) : "";
    return typeof x === "number" && typeof y === "number" ? [{ name, x, y }] : [];
  });
  return sortBy(points, [{ of: (point) => point.name, descending: false }]);
}
