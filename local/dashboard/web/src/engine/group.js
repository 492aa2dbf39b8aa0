/** Rows by what they have in common. */
import { cutTime } from "./dates.js";

/**
 * @typedef {import("./table.js").Value} Value
 * @typedef {import("./table.js").Table} Table
 * @typedef {import("../reading/fields.js").Dimension} Dimension
 */

/**
 * The values of a dimension for every row of the table, times cut to their granularity.
 *
 * @param {Table} table
 * @param {Dimension} dimension
 * @returns {(row: number) => Value}
 */
export function dimensionOf(table, dimension) {
  const { values } = table.column(dimension.column);
  const granularity = dimension.granularity;
  if (!granularity) return (row) => values[row];
  return (row) => (values[row] === null ? null : cutTime(Number(values[row]), granularity));
}

/**
 * The groups of rows that were kept, by table column: several visuals group the same rows in the same way.
 *
 * @type {WeakMap<number[], Map<string, Map<Value, number[]>>>}
 */
const groupsOfRows = new WeakMap();

/**
 * @param {Table} table
 * @param {number[]} rows of the table; not changed afterwards
 * @param {Dimension} dimension
 * @returns {Map<Value, number[]>} in the order of first appearance
 */
export function groupByDimension(table, rows, dimension) {
  const known = groupsOfRows.get(rows) ?? new Map();
  groupsOfRows.set(rows, known);
  const key = JSON.stringify([dimension.column, dimension.granularity]);
  const groups = known.get(key) ?? groupRows(rows, dimensionOf(table, dimension));
  known.set(key, groups);
  return groups;
}

/**
 * @param {number[]} rows
 * @param {(row: number) => Value} of
 * @returns {Map<Value, number[]>} in the order of first appearance
 */
export function groupRows(rows, of) {
  /** @type {Map<Value, number[]>} */
  const groups = new Map();
  for (const row of rows) {
    const value = of(row);
    const group = groups.get(value);
    if (group) group.push(row);
    else groups.set(value, [row]);
  }
  return groups;
}

/**
 * @param {number[]} rows
 * @param {((row: number) => Value)[]} dimensions
 * @returns {{key: Value[], rows: number[]}[]}
 */
export function groupRowsBySeveral(rows, dimensions) {
  const groups = new Map();
  for (const row of rows) {
    const key = dimensions.map((of) => of(row));
    const name = JSON.stringify(key);
    const group = groups.get(name);
    if (group) group.rows.push(row);
    else groups.set(name, { key, rows: [row] });
  }
  return [...groups.values()];
}
