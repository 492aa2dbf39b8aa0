/**
 * Bar, line and combo charts: what their configurations ask for.
 *
 * @typedef {import("../reading/fields.js").Dimension} Dimension
 * @typedef {import("../reading/fields.js").Measure} Measure
 * @typedef {{of: "category" | Measure, descending: boolean}} CategoryOrder
 * @typedef {{fieldId: string, value: string | null, color: string}} ColorRule
 * @typedef {{dataSet: string, category: Dimension | null, color: Dimension | null, bars: Measure[], lines: Measure[],
 *   linesByColor: boolean, marksAlone: boolean, horizontal: boolean, stacked: boolean, secondAxis: boolean, legend: boolean,
 *   orders: CategoryOrder[], titles: Map<string, string>, colors: ColorRule[]}} CartesianSpec
 */
import { Gap, onlyMember, unknownNames } from "../gap.js";
import {
  dataSetOf,
  fieldTitles,
  readAggregatedMeasure,
  readDimension,
  readNumericalAggregation,
} from "../reading/fields.js";

const COMMON = ["FieldWells", "SortConfiguration", "Legend", "VisualPalette"];

/**
 * @param {any} configuration QuickSight's `BarChartConfiguration`
 * @param {string[]} notApplied
 * @returns {CartesianSpec}
 */
export function readBars(configuration, notApplied) {
  const wells = onlyWells(configuration, "BarChartAggregatedFieldWells", ["Category", "Values", "Colors"]);
  const labels = ["CategoryLabelOptions", "ValueLabelOptions", "ColorLabelOptions"];
  notApplied.push(...unknownNames(configuration, [...COMMON, "Orientation", "BarsArrangement", ...labels]));
  return cartesian(configuration, wells, labels, {
    bars: (wells.Values ?? []).map(readAggregatedMeasure),
    horizontal: (configuration.Orientation ?? "HORIZONTAL") === "HORIZONTAL",
    stacked: isStacked(configuration),
  });
}

/**
 * @param {any} configuration QuickSight's `ComboChartConfiguration`
 * @param {string[]} notApplied
 * @returns {CartesianSpec}
 */
export function readCombo(configuration, notApplied) {
  const names = ["Category", "BarValues", "Colors", "LineValues"];
  const wells = onlyWells(configuration, "ComboChartAggregatedFieldWells", names);
  const labels = [
    "CategoryLabelOptions",
    "PrimaryYAxisLabelOptions",
    "SecondaryYAxisLabelOptions",
    "ColorLabelOptions",
  ];
  notApplied.push(
    ...unknownNames(configuration, [
      ...COMMON,
      "BarsArrangement",
      "SingleAxisOptions",
      "DefaultSeriesSettings",
      ...labels,
    ]),
  );
  const { LineStyleSettings: line, MarkerStyleSettings: marker, ...others } = configuration.DefaultSeriesSettings ?? {};
  notApplied.push(
    ...unknownNames(others, []),
    ...unknownNames(line, ["LineVisibility"]),
    ...unknownNames(marker, ["MarkerVisibility", "MarkerShape"]),
  );
  return cartesian(configuration, wells, labels, {
    bars: (wells.BarValues ?? []).map(readAggregatedMeasure),
    lines: (wells.LineValues ?? []).map(readAggregatedMeasure),
    stacked: isStacked(configuration),
    marksAlone: line?.LineVisibility === "HIDDEN",
    secondAxis: configuration.SingleAxisOptions?.YAxisOptions?.YAxis !== "PRIMARY_Y_AXIS",
  });
}

/**
 * @param {any} configuration QuickSight's `LineChartConfiguration`
 * @param {string[]} notApplied
 * @returns {CartesianSpec}
 */
export function readLines(configuration, notApplied) {
  const wells = onlyWells(configuration, "LineChartAggregatedFieldWells", ["Category", "Values", "Colors"]);
  const labels = ["XAxisLabelOptions", "PrimaryYAxisLabelOptions"];
  notApplied.push(...unknownNames(configuration, [...COMMON, "Type", ...labels]));
  if ((configuration.Type ?? "LINE") !== "LINE") throw new Gap(`a line chart of type ${configuration.Type}`);
  return cartesian(configuration, wells, labels, {
    lines: (wells.Values ?? []).map(readAggregatedMeasure),
    linesByColor: true,
  });
}

/**
 * @param {any} configuration
 * @param {string} kind
 * @param {string[]} known
 */
export function onlyWells(configuration, kind, known) {
  const [found, wells] = onlyMember(configuration.FieldWells ?? {});
  if (found !== kind) throw new Gap(`its fields are ${found}`);
  const unknown = unknownNames(wells, known);
  if (unknown.length) throw new Gap(`it has fields in ${unknown.join(", ")}`);
  return wells;
}

/**
 * @param {any} configuration
 * @param {any} wells
 * @param {string[]} labels names of the label options that give fields their titles
 * @param {Partial<CartesianSpec>} own
 * @returns {CartesianSpec}
 */
function cartesian(configuration, wells, labels, own) {
  for (const name of ["Category", "Colors"]) {
    if ((wells[name] ?? []).length > 1) throw new Gap(`it has several fields in ${name}`);
  }
  const category = wells.Category?.length ? readDimension(wells.Category[0]) : null;
  const color = wells.Colors?.length ? readDimension(wells.Colors[0]) : null;
  const bars = own.bars ?? [];
  const lines = own.lines ?? [];
  const fields = [category, color, ...bars, ...lines].filter((field) => field !== null);
  return {
    dataSet: dataSetOf(fields),
    category,
    color,
    linesByColor: false,
    marksAlone: false,
    horizontal: false,
    stacked: false,
    secondAxis: false,
    legend: configuration.Legend?.Visibility !== "HIDDEN",
    orders: readCategoryOrders(configuration.SortConfiguration, category, [...bars, ...lines]),
    titles: fieldTitles(...labels.map((name) => configuration[name])),
    colors: readColors(configuration.VisualPalette),
    ...own,
    bars,
    lines,
  };
}

/** @param {any} configuration */
function isStacked(configuration) {
  const arrangement = configuration.BarsArrangement ?? "CLUSTERED";
  if (arrangement === "STACKED_PERCENT") throw new Gap("its bars are stacked to 100 %");
  return arrangement === "STACKED";
}

/**
 * @param {any} sorting
 * @param {Dimension | null} category
 * @param {Measure[]} measures
 * @returns {CategoryOrder[]}
 */
export function readCategoryOrders(sorting, category, measures) {
  const unknown = unknownNames(sorting, ["CategorySort"]);
  if (unknown.length) throw new Gap(`it is sorted or cut by ${unknown.join(", ")}`);
  return (sorting?.CategorySort ?? []).map((/** @type {any} */ json) => {
    const [kind, sort] = onlyMember(json);
    const descending = sort.Direction === "DESC";
    if (kind === "FieldSort") {
      if (sort.FieldId === category?.id) return { of: "category", descending };
      const measure = measures.find((one) => one.id === sort.FieldId);
      if (!measure) throw new Gap(`it is sorted by a field that it has not (${sort.FieldId})`);
      return { of: measure, descending };
    }
    return { of: sortedByColumn(sort), descending };
  });
}

/**
 * @param {any} sort QuickSight's `ColumnSort`
 * @returns {Measure}
 */
function sortedByColumn(sort) {
  const { DataSetIdentifier: dataSet, ColumnName: column } = sort.SortBy;
  const functions = sort.AggregationFunction ?? {};
  const aggregation = readNumericalAggregation(functions.NumericalAggregationFunction) ?? {
    name: functions.CategoricalAggregationFunction ?? functions.DateAggregationFunction ?? "SUM",
  };
  return { role: "measure", id: column, dataSet, column, aggregation, format: { kind: "text", nothing: null } };
}

/**
 * @param {any} palette QuickSight's `VisualPalette`
 * @returns {ColorRule[]}
 */
export function readColors(palette) {
  return (palette?.ColorMap ?? []).map((/** @type {any} */ entry) => ({
    fieldId: entry.Element.FieldId,
    value: entry.Element.FieldValue ?? null,
    color: entry.Color,
  }));
}
