/**
 * What a visual shows, as plain numbers: for tests, and for whoever wants them out of the browser
 * (`await dashboard.numbers()`).
 */

/**
 * @param {string} kind
 * @param {any} result
 * @returns {any}
 */
export function plainNumbers(kind, result) {
  switch (kind) {
    case "KPIVisual":
      return { value: result.value, target: result.target, difference: result.difference };
    case "BoxPlotVisual":
      return { boxes: result.boxes };
    case "ScatterPlotVisual":
      return {
        points: result.series.flatMap((/** @type {any} */ series) =>
          series.points.map((/** @type {any} */ { name, x, y }) => [series.name, name, x, y]),
        ),
      };
    case "TableVisual": {
      const shown = result.columns.filter((/** @type {any} */ column) => !column.hidden);
      return {
        columns: shown.map((/** @type {any} */ column) => column.column),
        rows: result.rows.map((/** @type {number} */ row) =>
          shown.map((/** @type {any} */ column) => column.values[row]),
        ),
      };
    }
    default:
      return {
        categories: result.categories,
        series: result.series.map((/** @type {any} */ { name, mark, values }) => ({ name, mark, values })),
      };
  }
}
