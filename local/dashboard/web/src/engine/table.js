/**
 * Rows of a data set, kept by column. Text is kept once: in the document a text column holds places in one list of
 * texts, since the same report stands in many answers.
 *
 * @typedef {"STRING" | "INTEGER" | "DECIMAL" | "DATETIME" | "BOOLEAN"} ColumnType
 * @typedef {string | number | boolean | null} Value  times are milliseconds since 1970, UTC
 * @typedef {{name: string, type: ColumnType}} Column
 * @typedef {{data_set: string, parameters: Record<string, string>, columns: string[], values: number[],
 *   total_rows: number}} Answer `values` are places in the part's columns
 * @typedef {{answers: Answer[], texts: string[], columns: any[][]}} Part
 */
import { Gap } from "../gap.js";

export class Table {
  /**
   * @param {Column[]} columns
   * @param {Value[][]} values one array a column
   * @param {number} totalRows how many rows the data set has, at least as many as are here
   */
  constructor(columns, values, totalRows) {
    this.columns = columns;
    this.length = values.length ? values[0].length : 0;
    this.totalRows = totalRows;
    this.byName = new Map(columns.map((column, place) => [column.name, { ...column, values: values[place] }]));
  }

  /**
   * @param {string} name
   * @returns {Column & {values: Value[]}}
   * @throws {Gap} there is no such column
   */
  column(name) {
    const column = this.byName.get(name);
    if (!column) throw new Gap(`the data set has no column ${name}`);
    return column;
  }

  /** @param {string} name */
  has(name) {
    return this.byName.has(name);
  }

  /** Places of all rows. */
  allRows() {
    return Array.from({ length: this.length }, (_, row) => row);
  }
}

/**
 * @param {Answer} answer
 * @param {Column[]} columns
 * @param {Part} part that the answer is in
 * @returns {Table}
 */
export function decodeAnswer(answer, columns, part) {
  const types = new Map(columns.map((column) => [column.name, column]));
  const known = answer.columns.map((name) => {
    const column = types.get(name);
    if (!column) throw new Gap(`data set ${answer.data_set}: the answer has a column ${name} that was not declared`);
    return column;
  });
  return new Table(
    known,
    answer.values.map((column, place) => decodeColumn(part.columns[column], known[place].type, part.texts)),
    answer.total_rows,
  );
}

/**
 * @param {any[]} values
 * @param {ColumnType} type
 * @param {string[]} texts
 * @returns {Value[]}
 */
function decodeColumn(values, type, texts) {
  if (type === "STRING") return values.map((place) => (place === null ? null : texts[place]));
  // JSON has no infinite and no undefined number, so these come as their names.
  if (type === "DECIMAL") return values.map((value) => (typeof value === "string" ? Number(value) : value));
  return values;
}
