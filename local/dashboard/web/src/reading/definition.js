/**
 * QuickSight's dashboard definition, as this page understands it. What it does not understand is kept by name: a visual
 * or a control becomes a gap, a setting of the whole is listed in `notApplied`.
 *
 * @typedef {{id: string, kind: string, title: string, help: string, label: string, dataSet: string | null,
 *   spec: any, gap: string | null, notApplied: string[]}} Visual
 * @typedef {{visual: Visual, column: number, columns: number, row: number, rows: number,
 *   designWidth: number}} Tile
 * @typedef {{id: string, title: string, description: string, controls: import("./controls.js").Control[], tiles: Tile[]}} Sheet
 * @typedef {{name: string, value: string, mapped: {dataSet: string, parameter: string}[]}} Parameter
 * @typedef {{parameters: Parameter[], filters: import("./filters.js").Filter[], sheets: Sheet[], notApplied: string[]}} Definition
 */
import { Gap, onlyMember, unknownNames } from "../gap.js";
import { readVisual } from "../visuals/read.js";
import { readControls } from "./controls.js";
import { readFilterGroups } from "./filters.js";

const GRID_COLUMNS = 36;
/** Of a sheet in pixels, where the definition names no width. */
const CANVAS = 1600;
const PADDING = 30;
const KNOWN = ["DataSetIdentifierDeclarations", "ParameterDeclarations", "FilterGroups", "Sheets", "CalculatedFields"];
const KNOWN_OF_SHEET = [
  "SheetId",
  "Name",
  "Title",
  "Description",
  "ContentType",
  "ParameterControls",
  "FilterControls",
  "Visuals",
  "Layouts",
  "SheetControlLayouts",
];

/**
 * @param {any} json
 * @returns {Definition}
 */
export function readDefinition(json) {
  const filters = readFilterGroups(json.FilterGroups ?? []);
  const calculated = new Set((json.CalculatedFields ?? []).map((/** @type {any} */ field) => field.Name));
  const sheets = json.Sheets.map((/** @type {any} */ sheet) => readSheet(sheet, filters, calculated));
  return {
    parameters: (json.ParameterDeclarations ?? []).map(readParameter),
    filters: filters.map((filter) =>
      calculated.has(filter.column) ? { ...filter, gap: calculatedReason(filter.column) } : filter,
    ),
    sheets,
    notApplied: unknownNames(json, KNOWN),
  };
}

/** @param {any} json */
function readParameter(json) {
  const [kind, declaration] = onlyMember(json);
  if (kind !== "StringParameterDeclaration" || declaration.ParameterValueType !== "SINGLE_VALUED") {
    throw new Gap(
      `the parameter ${declaration.Name} is not a single text (${kind}): the dashboard cannot be drawn here`,
    );
  }
  return {
    name: declaration.Name,
    value: declaration.DefaultValues?.StaticValues?.[0] ?? "",
    mapped: (declaration.MappedDataSetParameters ?? []).map((/** @type {any} */ mapping) => ({
      dataSet: mapping.DataSetIdentifier,
      parameter: mapping.DataSetParameterName,
    })),
  };
}

/**
 * @param {any} sheet
 * @param {import("./filters.js").Filter[]} filters
 * @param {Set<string>} calculated names of calculated fields
 * @returns {Sheet}
 */
function readSheet(sheet, filters, calculated) {
  const visuals = new Map(
    (sheet.Visuals ?? []).map((/** @type {any} */ json) => {
      const visual = readVisual(json);
      const field = columnsIn(json).find((column) => calculated.has(column));
      return [visual.id, field ? { ...visual, gap: calculatedReason(field) } : visual];
    }),
  );
  return {
    id: sheet.SheetId,
    title: sheet.Name ?? sheet.Title ?? sheet.SheetId,
    description: sheet.Description ?? "",
    controls: readControls(sheet, filters),
    tiles: [...readTiles(sheet, visuals), ...unknownNames(sheet, KNOWN_OF_SHEET).map(gapTile)],
  };
}

/** @param {string} name */
function calculatedReason(name) {
  return `the calculated field ${name} is not calculated here`;
}

/**
 * Names of all columns anywhere in a part of the definition.
 *
 * @param {any} json
 * @returns {string[]}
 */
function columnsIn(json) {
  if (json === null || typeof json !== "object") return [];
  const own = typeof json.ColumnName === "string" ? [json.ColumnName] : [];
  return [...own, ...Object.values(json).flatMap(columnsIn)];
}

/**
 * @param {any} sheet
 * @param {Map<string, Visual>} visuals
 * @returns {Tile[]}
 */
function readTiles(sheet, visuals) {
  const placed = new Set();
  const tiles = [];
  for (const layout of sheet.Layouts ?? []) {
    const [kind, value] = onlyMember(layout.Configuration);
    if (kind !== "GridLayout") continue;
    const canvas =
      Number.parseInt(value.CanvasSizeOptions?.ScreenCanvasSizeOptions?.OptimizedViewPortWidth ?? "", 10) || CANVAS;
    for (const element of value.Elements) {
      const visual = visuals.get(element.ElementId) ?? gapVisual(element.ElementId, element.ElementType);
      placed.add(visual.id);
      tiles.push({
        visual,
        column: element.ColumnIndex ?? 0,
        columns: element.ColumnSpan,
        row: element.RowIndex ?? 0,
        rows: element.RowSpan,
        designWidth: (canvas * element.ColumnSpan) / GRID_COLUMNS - PADDING,
      });
    }
  }
  // A visual without a place in a grid is drawn below the others.
  for (const visual of visuals.values()) if (!placed.has(visual.id)) tiles.push(belowTile(visual));
  return tiles.sort((one, other) => one.row - other.row || one.column - other.column);
}

/**
 * @param {string} name
 * @returns {Tile}
 */
function gapTile(name) {
  return belowTile(gapVisual(name, name));
}

/**
 * @param {Visual} visual
 * @returns {Tile}
 */
function belowTile(visual) {
  return { visual, column: 0, columns: GRID_COLUMNS, row: 10_000, rows: 8, designWidth: CANVAS - PADDING };
}

/**
 * @param {string} id
 * @param {string} kind
 * @returns {Visual}
 */
function gapVisual(id, kind) {
  const gap = `This part of kind ${kind} is not drawn here; it is in QuickSight`;
  return { id, kind, title: id, help: "", label: id, dataSet: null, spec: null, gap, notApplied: [] };
}
