/**
 * Bar, line and combo charts: the numbers they show.
 *
 * @typedef {import("../engine/table.js").Value} Value
 * @typedef {import("../engine/formats.js").Format} Format
 * @typedef {import("./cartesianReading.js").CartesianSpec} CartesianSpec
 * @typedef {{name: string, mark: "bar" | "line" | "tick", color: string | null, isMeasure: boolean, secondAxis: boolean, format: Format,
 *   values: Value[]}} Series `values` has one entry a category; `color` is the definition's, if it gives one; a
 *   tick is a line of which the points alone are drawn
 * @typedef {{categories: Value[], categoryLabels: string[], categoryKind: "text" | "number" | "time",
 *   categoryFormat: Format, categoryTitle: string, valueTitle: string, series: Series[]}} CartesianResult
 */
import { aggregate } from "../engine/aggregate.js";
import { NOTHING, write } from "../engine/formats.js";
import { dimensionOf, groupByDimension } from "../engine/group.js";
import { sortBy } from "../engine/sort.js";

/** @type {Format} */
const TEXT = { kind: "text", nothing: null };

/**
 * @param {CartesianSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {number[]} rows
 * @returns {CartesianResult}
 */
export function computeCartesian(spec, table, rows) {
  const groups = spec.category ? groupByDimension(table, rows, spec.category) : new Map([["", rows]]);
  const categories = orderedCategories(spec, table, groups);
  const inCategory = categories.map((category) => /** @type {number[]} */ (groups.get(category)));
  const colors = spec.color ? orderedColors(spec, table, rows) : [];
  const inColors = colors.map((color) => ({
    color,
    rows: inCategory.map((group) => rowsOf(spec, table, group, color)),
  }));
  const byColor = spec.color ? inColors : null;
  const format = spec.category?.format ?? TEXT;
  const measures = [...spec.bars, ...spec.lines];
  return {
    categories,
    categoryLabels: categories.map((category) => write(category, format)),
    categoryKind: spec.category?.kind ?? "text",
    categoryFormat: format,
    categoryTitle: spec.category ? titleOf(spec, spec.category) : "",
    valueTitle: measures.length ? titleOf(spec, measures[0]) : "",
    series: [
      ...spec.bars.flatMap((measure) => seriesOf(spec, table, measure, "bar", inCategory, byColor)),
      ...spec.lines.flatMap((measure) =>
        seriesOf(
          spec,
          table,
          measure,
          spec.marksAlone ? "tick" : "line",
          inCategory,
          spec.linesByColor ? byColor : null,
        ),
      ),
    ],
  };
}

/**
 * One series a color value, or one in all.
 *
 * @param {CartesianSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {import("../reading/fields.js").Measure} measure
 * @param {"bar" | "line" | "tick"} mark
 * @param {number[][]} inCategory
 * @param {{color: Value, rows: number[][]}[] | null} byColor null without a color field
 * @returns {Series[]}
 */
function seriesOf(spec, table, measure, mark, inCategory, byColor) {
  const { values } = table.column(measure.column);
  const aggregation = measure.aggregation ?? { name: "SUM" };
  // Rows that are not there have no value, not even a count of nought.
  const over = (/** @type {number[]} */ rows) => (rows.length ? aggregate(values, rows, aggregation) : null);
  // A line across bars of several colors is no kind of bar.
  const isMeasure = mark !== "bar" && byColor === null && spec.bars.length > 0;
  const common = { mark, isMeasure, secondAxis: mark !== "bar" && spec.secondAxis, format: measure.format };
  const title = titleOf(spec, measure);
  const severalMeasures = (mark === "bar" ? spec.bars : spec.lines).length > 1;
  if (byColor === null) {
    return [{ ...common, name: title, color: colorFor(spec, measure.id, null), values: inCategory.map(over) }];
  }
  return byColor.map(({ color, rows }) => ({
    ...common,
    name: severalMeasures ? `${color ?? NOTHING} · ${title}` : String(color ?? NOTHING),
    color: spec.color ? colorFor(spec, spec.color.id, color) : null,
    values: rows.map(over),
  }));
}

/**
 * @param {CartesianSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {Map<Value, number[]>} groups
 */
function orderedCategories(spec, table, groups) {
  const orders = spec.orders.map(({ of, descending }) => {
    if (of === "category") return { of: (/** @type {Value} */ category) => category, descending };
    const { values } = table.column(of.column);
    const aggregation = of.aggregation ?? { name: "SUM" };
    return {
      of: (/** @type {Value} */ category) =>
        aggregate(values, /** @type {number[]} */ (groups.get(category)), aggregation),
      descending,
    };
  });
  const byItself = { of: (/** @type {Value} */ category) => category, descending: false };
  return sortBy([...groups.keys()], [...orders, byItself]);
}

/**
 * The values of the color field: first those that the definition colors, in its order, then the others.
 *
 * @param {Pick<CartesianSpec, "color" | "colors">} spec
 * @param {import("../engine/table.js").Table} table
 * @param {number[]} rows
 */
export function orderedColors(spec, table, rows) {
  const color = /** @type {NonNullable<CartesianSpec["color"]>} */ (spec.color);
  const present = [...groupByDimension(table, rows, color).keys()];
  const named = spec.colors.filter((rule) => rule.fieldId === color.id).map((rule) => rule.value);
  const place = (/** @type {Value} */ value) => {
    const found = named.indexOf(value === null ? null : String(value));
    return found < 0 ? named.length : found;
  };
  return sortBy(present, [
    { of: place, descending: false },
    { of: (value) => value, descending: false },
  ]);
}

/**
 * @param {CartesianSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {number[]} rows
 * @param {Value} color
 */
function rowsOf(spec, table, rows, color) {
  const of = dimensionOf(table, /** @type {NonNullable<CartesianSpec["color"]>} */ (spec.color));
  return rows.filter((row) => of(row) === color);
}

/**
 * @param {Pick<CartesianSpec, "colors">} spec
 * @param {string} fieldId
 * @param {Value} value
 */
export function colorFor(spec, fieldId, value) {
  const wanted = value === null ? null : String(value);
  return spec.colors.find((rule) => rule.fieldId === fieldId && rule.value === wanted)?.color ?? null;
}

/**
 * @param {Pick<CartesianSpec, "titles">} spec
 * @param {{id: string, column: string}} field
 */
export function titleOf(spec, field) {
  return spec.titles.get(field.id) ?? field.column.replaceAll("_", " ");
}
