/**
 * Tables: rows as they are, or put together.
 *
 * @typedef {import("../engine/table.js").Value} Value
 * @typedef {import("../reading/fields.js").Field} Field
 * @typedef {{id: string, title: string, column: string, width: number | null, hidden: boolean,
 *   format: import("../engine/formats.js").Format, align: "start" | "end", field: Field | null}} RowsColumn
 * @typedef {{dataSet: string, columns: RowsColumn[], aggregated: boolean, orders: {id: string, descending: boolean}[]}} RowsSpec
 * @typedef {RowsColumn & {values: Value[]}} FilledColumn
 * @typedef {{columns: FilledColumn[], rows: number[]}} RowsResult `rows` are places in the columns' values, in order
 */
import { aggregate } from "../engine/aggregate.js";
import { PLAIN_NUMBER, readNumberFormat } from "../engine/formats.js";
import { dimensionOf, groupRowsBySeveral } from "../engine/group.js";
import { sortBy } from "../engine/sort.js";
import { Gap, onlyMember, unknownNames } from "../gap.js";
import { dataSetOf, readAggregatedMeasure, readDimension } from "../reading/fields.js";

const DEFAULT_TIME = "YYYY-MM-DD HH:mm:ss";

/**
 * @param {any} configuration QuickSight's `TableConfiguration`
 * @param {string[]} notApplied
 * @returns {RowsSpec}
 */
export function readRows(configuration, notApplied) {
  const [kind, wells] = onlyMember(configuration.FieldWells ?? {});
  notApplied.push(...unknownNames(configuration, ["FieldWells", "SortConfiguration", "FieldOptions", "TableOptions"]));
  notApplied.push(...unknownNames(configuration.FieldOptions, ["SelectedFieldOptions", "Order"]));
  const aggregated = kind === "TableAggregatedFieldWells";
  if (!aggregated && kind !== "TableUnaggregatedFieldWells") throw new Gap(`its fields are ${kind}`);
  const fields = aggregated
    ? [...(wells.GroupBy ?? []).map(readDimension), ...(wells.Values ?? []).map(readAggregatedMeasure)]
    : (wells.Values ?? []).map(readUnaggregated);
  const options = configuration.FieldOptions ?? {};
  return {
    dataSet: dataSetOf(fields),
    aggregated,
    columns: inOrder(fields, options.Order ?? []).map((field) => columnOf(field, options.SelectedFieldOptions ?? [])),
    orders: readRowSort(configuration.SortConfiguration, fields),
  };
}

/**
 * @param {RowsSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {number[]} rows
 * @returns {RowsResult}
 */
export function computeRows(spec, table, rows) {
  const columns = spec.aggregated
    ? aggregatedColumns(spec, table, rows)
    : spec.columns.map((column) => withTypeOf(column, table.column(column.column)));
  const places = spec.aggregated ? (columns[0]?.values ?? []).map((_, row) => row) : rows;
  return { columns, rows: sortRows(columns, places, spec.orders) };
}

/**
 * @param {FilledColumn[]} columns
 * @param {number[]} rows
 * @param {{id: string, descending: boolean}[]} orders by column id
 */
export function sortRows(columns, rows, orders) {
  return sortBy(
    rows,
    orders.map(({ id, descending }) => {
      const column = columns.find((one) => one.id === id);
      if (!column) throw new Gap(`it is sorted by a field that it has not (${id})`);
      return { of: (/** @type {number} */ row) => column.values[row], descending };
    }),
  );
}

/**
 * @param {RowsSpec} spec
 * @param {import("../engine/table.js").Table} table
 * @param {number[]} rows
 * @returns {FilledColumn[]}
 */
function aggregatedColumns(spec, table, rows) {
  const dimensions = spec.columns.filter((column) => column.field?.role === "dimension");
  const groups = groupRowsBySeveral(
    rows,
    dimensions.map((column) => dimensionOf(table, /** @type {any} */ (column.field))),
  );
  return spec.columns.map((column) => {
    const place = dimensions.indexOf(column);
    if (place >= 0) return { ...column, values: groups.map((group) => group.key[place]) };
    const measure = /** @type {import("../reading/fields.js").Measure} */ (column.field);
    const { values } = table.column(measure.column);
    const aggregation = measure.aggregation ?? { name: "SUM" };
    return { ...column, values: groups.map((group) => aggregate(values, group.rows, aggregation)) };
  });
}

/**
 * Without a format in the definition, the type of the data set's column decides.
 *
 * @param {RowsColumn} column
 * @param {{type: string, values: Value[]}} found
 * @returns {FilledColumn}
 */
function withTypeOf(column, found) {
  const isNumber = found.type === "INTEGER" || found.type === "DECIMAL";
  const isText = column.format.kind === "text";
  /** @type {import("../engine/formats.js").Format} */
  let format = column.format;
  if (isText && isNumber) format = PLAIN_NUMBER;
  if (isText && found.type === "DATETIME") format = { kind: "time", pattern: DEFAULT_TIME, nothing: null };
  return { ...column, format, align: isNumber ? "end" : "start", values: found.values };
}

/**
 * @param {any} json QuickSight's `UnaggregatedField`
 * @returns {any}
 */
function readUnaggregated(json) {
  const { DataSetIdentifier: dataSet, ColumnName: column } = json.Column;
  return { id: json.FieldId, dataSet, column, format: readFieldFormat(json.FormatConfiguration) };
}

/**
 * @param {any} configuration QuickSight's `FormatConfiguration`
 * @returns {import("../engine/formats.js").Format}
 */
function readFieldFormat(configuration) {
  if (!configuration) return { kind: "text", nothing: null };
  const [kind, settings] = onlyMember(configuration);
  const nothing = settings.NullValueFormatConfiguration?.NullString ?? null;
  if (kind === "NumberFormatConfiguration") return readNumberFormat(settings.FormatConfiguration);
  if (kind === "DateTimeFormatConfiguration")
    return { kind: "time", pattern: settings.DateTimeFormat ?? DEFAULT_TIME, nothing };
  if (kind === "StringFormatConfiguration") return { kind: "text", nothing };
  throw new Gap(`a format of kind ${kind} is not known here`);
}

/**
 * @param {any} field
 * @param {any[]} selected QuickSight's `SelectedFieldOptions`
 * @returns {RowsColumn}
 */
function columnOf(field, selected) {
  const options = selected.find((one) => one.FieldId === field.id) ?? {};
  return {
    id: field.id,
    title: options.CustomLabel ?? field.column,
    column: field.column,
    width: options.Width ? Number.parseInt(options.Width, 10) : null,
    hidden: options.Visibility === "HIDDEN",
    format: field.format,
    align: field.role === "measure" ? "end" : "start",
    field: field.role ? field : null,
  };
}

/**
 * @template {{id: string}} F
 * @param {F[]} fields
 * @param {string[]} order field ids
 */
function inOrder(fields, order) {
  const place = (/** @type {F} */ field) => {
    const found = order.indexOf(field.id);
    return found < 0 ? order.length : found;
  };
  return sortBy(fields, [{ of: place, descending: false }]);
}

/**
 * @param {any} sorting QuickSight's `TableSortConfiguration`
 * @param {{id: string, column: string}[]} fields
 */
function readRowSort(sorting, fields) {
  const unknown = unknownNames(sorting, ["RowSort"]);
  if (unknown.length) throw new Gap(`it is sorted or cut by ${unknown.join(", ")}`);
  return (sorting?.RowSort ?? []).map((/** @type {any} */ json) => {
    const [kind, sort] = onlyMember(json);
    const descending = sort.Direction === "DESC";
    if (kind === "FieldSort") return { id: sort.FieldId, descending };
    const field = fields.find((one) => one.column === sort.SortBy.ColumnName);
    if (!field) throw new Gap(`it is sorted by a column that it does not show (${sort.SortBy.ColumnName})`);
    return { id: field.id, descending };
  });
}
