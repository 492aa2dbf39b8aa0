/**
 * What one visual shows for the reader's choices: its rows are filtered, and put together as its kind wants.
 *
 * @typedef {import("./reading/definition.js").Definition} Definition
 * @typedef {import("./reading/definition.js").Visual} Visual
 * @typedef {import("./reading/filters.js").Choices} Choices
 * @typedef {{result: any, shown: number, leftOut: number, cut: {read: number, total: number} | null}} Outcome
 *   `shown` rows; `leftOut` by filters that the reader has a control of; `cut` where not all rows were read
 */
import { Gap } from "./gap.js";
import { filterRows, filtersOn } from "./reading/filters.js";
import { KINDS } from "./visuals/read.js";

/**
 * Rows that were kept for one set of choices: visuals side by side mostly show the same ones.
 *
 * @typedef {Map<string, number[]>} Kept
 */

/**
 * @param {Definition} definition
 * @param {import("./answers.js").Answers} answers
 * @param {string} sheetId
 * @param {Visual} visual
 * @param {Choices} choices
 * @param {Kept} [kept] of the same choices
 * @returns {Promise<Outcome>}
 * @throws {Gap} it cannot be shown here
 */
export async function compute(definition, answers, sheetId, visual, choices, kept = new Map()) {
  if (visual.gap || visual.dataSet === null) throw new Gap(visual.gap ?? "the visual has no data set");
  const { dataSet } = visual;
  const columns = answers.dataSet(dataSet).columns;
  const table = await answers.table(dataSet, choices.parameters);
  const filters = filtersOn(definition.filters, sheetId, { id: visual.id, dataSet }, (name) =>
    columns.some((column) => column.name === name),
  );
  const controlled = controlledFilters(definition, sheetId);
  const own = filters.filter((filter) => !controlled.has(filter.id));
  const keptBy = (/** @type {import("./reading/filters.js").Filter[]} */ some) => {
    const key = JSON.stringify([dataSet, ...some.map((filter) => filter.id)]);
    const rows = kept.get(key) ?? filterRows(table, some, choices);
    kept.set(key, rows);
    return rows;
  };
  const rows = keptBy(filters);
  return {
    result: KINDS[visual.kind].compute(visual.spec, table, rows),
    shown: rows.length,
    leftOut: own.length === filters.length ? 0 : keptBy(own).length - rows.length,
    cut: table.totalRows > table.length ? { read: table.length, total: table.totalRows } : null,
  };
}

/**
 * @param {Definition} definition
 * @param {string} sheetId
 */
function controlledFilters(definition, sheetId) {
  const sheet = definition.sheets.find((one) => one.id === sheetId);
  return new Set((sheet?.controls ?? []).flatMap((control) => ("filterId" in control ? [control.filterId] : [])));
}
