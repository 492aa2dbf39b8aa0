/**
 * The controls of a sheet.
 *
 * @typedef {{dataSet: string, column: string}} ColumnPlace
 * @typedef {{sourceControl: string, column: ColumnPlace}} Narrowing
 * @typedef {{kind: "choice", id: string, title: string, parameter: string, values: string[] | null,
 *     linked: ColumnPlace | null, narrowedBy: Narrowing[]}
 *   | {kind: "text", id: string, title: string, parameter: string}
 *   | {kind: "ticks", id: string, title: string, filterId: string, values: string[] | null, linked: ColumnPlace,
 *     single: boolean}
 *   | {kind: "range", id: string, title: string, filterId: string, low: number, high: number, step: number}
 *   | {kind: "gap", id: string, title: string, reason: string}} Control
 */
import { Gap, onlyMember } from "../gap.js";

/**
 * @param {any} sheet QuickSight's `SheetDefinition`
 * @param {import("./filters.js").Filter[]} filters
 * @returns {Control[]}
 */
export function readControls(sheet, filters) {
  return [
    ...(sheet.ParameterControls ?? []).map((/** @type {any} */ json) => orGap(json, readParameterControl)),
    ...(sheet.FilterControls ?? []).map((/** @type {any} */ json) =>
      orGap(json, (kind, control) => readFilterControl(kind, control, filters)),
    ),
  ];
}

/**
 * @param {any} json
 * @param {(kind: string, control: any) => Control} read
 * @returns {Control}
 */
function orGap(json, read) {
  const [kind, control] = onlyMember(json);
  try {
    return read(kind, control);
  } catch (error) {
    if (!(error instanceof Gap)) throw error;
    const id = control.ParameterControlId ?? control.FilterControlId;
    return { kind: "gap", id, title: control.Title ?? kind, reason: error.message };
  }
}

/**
 * @param {string} kind
 * @param {any} control
 * @returns {Control}
 */
function readParameterControl(kind, control) {
  const common = { id: control.ParameterControlId, title: control.Title, parameter: control.SourceParameterName };
  if (kind === "TextField" || kind === "TextArea") return { ...common, kind: "text" };
  if (kind !== "Dropdown" && kind !== "List") throw new Gap(`A control of kind ${kind} is not offered here`);
  if ((control.Type ?? "SINGLE_SELECT") !== "SINGLE_SELECT")
    throw new Gap(`A ${kind} of type ${control.Type} is not offered here`);
  const values = control.SelectableValues ?? {};
  return {
    ...common,
    kind: "choice",
    values: values.Values ?? null,
    linked: values.LinkToDataSetColumn ? columnPlace(values.LinkToDataSetColumn) : null,
    narrowedBy: (control.CascadingControlConfiguration?.SourceControls ?? []).map((/** @type {any} */ source) => ({
      sourceControl: source.SourceSheetControlId,
      column: columnPlace(source.ColumnToMatch),
    })),
  };
}

/**
 * @param {string} kind
 * @param {any} control
 * @param {import("./filters.js").Filter[]} filters
 * @returns {Control}
 */
function readFilterControl(kind, control, filters) {
  const filter = filters.find((one) => one.id === control.SourceFilterId);
  if (!filter) throw new Gap(`There is no filter ${control.SourceFilterId}`);
  const id = control.FilterControlId;
  if (kind === "Slider") {
    if (control.Type !== "RANGE") throw new Gap(`A Slider of type ${control.Type} is not offered here`);
    if (!filter.bounds) throw new Gap(`The filter ${filter.id} behind the slider is not one of a range`);
    const [low, high, step] = [control.MinimumValue, control.MaximumValue, control.StepSize].map(Number);
    return { kind: "range", id, title: control.Title, filterId: filter.id, low, high, step };
  }
  if (kind === "CrossSheet") {
    if (!filter.control) throw new Gap(`The filter ${filter.id} has no control of its own`);
    const [optionsKind, options] = onlyMember(filter.control.ControlOptions);
    return ticks(id, filter.control.Title, filter, optionsKind.replace(/^Default|Options$/g, ""), options);
  }
  return ticks(id, control.Title, filter, kind, control);
}

/**
 * @param {string} id
 * @param {string} title
 * @param {import("./filters.js").Filter} filter
 * @param {string} kind
 * @param {any} options
 * @returns {Control}
 */
function ticks(id, title, filter, kind, options) {
  if (kind !== "Dropdown" && kind !== "List") throw new Gap(`A control of kind ${kind} is not offered here`);
  return {
    kind: "ticks",
    id,
    title,
    filterId: filter.id,
    values: options.SelectableValues?.Values ?? null,
    linked: { dataSet: filter.dataSet, column: filter.column },
    single: options.Type === "SINGLE_SELECT",
  };
}

/**
 * @param {any} reference QuickSight's `ColumnIdentifier`
 * @returns {ColumnPlace}
 */
export function columnPlace(reference) {
  return { dataSet: reference.DataSetIdentifier, column: reference.ColumnName };
}
