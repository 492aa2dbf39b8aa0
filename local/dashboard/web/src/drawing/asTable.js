/** A chart's numbers as the columns of a table. */
import { PLAIN_NUMBER } from "../engine/formats.js";
import { BOX_NUMBERS } from "./boxesOptions.js";

/**
 * @param {string} kind
 * @param {any} result
 * @returns {{columns: any[], rows: number[]}}
 */
export function chartAsTable(kind, result) {
  const columns = (COLUMNS[kind] ?? cartesianColumns)(result);
  return { columns, rows: columns[0].values.map((/** @type {any} */ _, /** @type {number} */ row) => row) };
}

/** @type {Record<string, (result: any) => any[]>} */
const COLUMNS = { BoxPlotVisual: boxColumns, ScatterPlotVisual: pointColumns };

/** @param {import("../visuals/cartesian.js").CartesianResult} result */
function cartesianColumns(result) {
  return [
    column(result.categoryTitle, result.categories, result.categoryFormat, "start"),
    ...result.series.map((series) => column(series.name, series.values, series.format, "end")),
  ];
}

/** @param {import("../visuals/points.js").PointsResult} result */
function pointColumns(result) {
  const points = result.series.flatMap((series) => series.points.map((point) => ({ ...point, series: series.name })));
  const text = /** @type {const} */ ({ kind: "text", nothing: null });
  const of = (/** @type {"name" | "series" | "x" | "y"} */ name) => points.map((point) => point[name]);
  return [
    column(result.labelTitle || "point", of("name"), text, "start", 220),
    column("kind", of("series"), text, "start"),
    column(result.categoryTitle, of("x"), result.xFormat, "end"),
    column(result.valueTitle, of("y"), result.yFormat, "end"),
  ];
}

/** @param {import("../visuals/boxes.js").BoxesResult} result */
function boxColumns(result) {
  const { boxes, format } = result;
  const names = boxes.map((box) => box.name);
  return [
    column(result.groupTitle, names, { kind: "text", nothing: null }, "start", 200),
    ...BOX_NUMBERS.map(([key, title]) =>
      column(
        title,
        boxes.map((box) => box[key]),
        key === "count" ? PLAIN_NUMBER : format,
        "end",
        90,
      ),
    ),
    column(
      "beyond the whiskers",
      boxes.map((box) => box.outliers.length),
      PLAIN_NUMBER,
      "end",
    ),
  ];
}

/**
 * @param {string} title
 * @param {any[]} values
 * @param {import("../engine/formats.js").Format} format
 * @param {"start" | "end"} align
 * @param {number} [width]
 */
function column(title, values, format, align, width = 130) {
  return { id: title, title, column: title, width, hidden: false, format, align, field: null, values };
}
