/**
 * The definition's filter groups: what they keep, and of which visuals.
 *
 * @typedef {import("../engine/table.js").Value} Value
 * @typedef {import("../engine/table.js").Table} Table
 * @typedef {{parameters: Record<string, string>, lists: Record<string, string[]>, ranges: Record<string, [number, number]>}} Choices
 *   what the reader chose: parameters, lists ticked and ranges set, by filter id
 * @typedef {{id: string, dataSet: string, column: string, crossDataSet: boolean, everySheet: boolean,
 *   scopes: Map<string, Set<string> | null>, control: any, gap: string | null,
 *   keeps: (choices: Choices) => (value: Value) => boolean, bounds: [number, number] | null}} Filter
 */
import { Gap, onlyMember, unknownNames } from "../gap.js";

/** @type {Record<string, (value: string, wanted: string) => boolean>} */
const OPERATORS = {
  EQUALS: (value, wanted) => value === wanted,
  CONTAINS: (value, wanted) => value.includes(wanted),
  STARTS_WITH: (value, wanted) => value.startsWith(wanted),
  ENDS_WITH: (value, wanted) => value.endsWith(wanted),
};
/** @type {Record<string, string>} */
const OPPOSITES = { DOES_NOT_EQUAL: "EQUALS", DOES_NOT_CONTAIN: "CONTAINS" };

/**
 * @param {any[]} groups QuickSight's `FilterGroups`
 * @returns {Filter[]}
 */
export function readFilterGroups(groups) {
  return groups.filter((group) => group.Status !== "DISABLED").flatMap(readGroup);
}

/**
 * The filters that hold for a visual, its own data set's and those across data sets whose column it has.
 *
 * @param {Filter[]} filters
 * @param {string} sheetId
 * @param {{id: string, dataSet: string}} visual
 * @param {(column: string) => boolean} hasColumn whether the visual's data set has the column
 */
export function filtersOn(filters, sheetId, visual, hasColumn) {
  return filters.filter((filter) => {
    const scope = filter.scopes.get(sheetId);
    const inScope = filter.everySheet || (filter.scopes.has(sheetId) && (scope === null || scope?.has(visual.id)));
    if (!inScope) return false;
    // Of a filter that cannot be read it may not be known what it is about: then it is about everything in its scope.
    if (filter.gap && filter.dataSet === undefined) return true;
    return filter.dataSet === visual.dataSet || (filter.crossDataSet && hasColumn(filter.column));
  });
}

/**
 * The places of the rows that every filter keeps.
 *
 * @param {Table} table
 * @param {Filter[]} filters
 * @param {Choices} choices
 * @returns {number[]}
 */
export function filterRows(table, filters, choices) {
  const tests = filters.map((filter) => {
    if (filter.gap) throw new Gap(filter.gap);
    return { values: table.column(filter.column).values, keeps: filter.keeps(choices) };
  });
  const rows = [];
  for (let row = 0; row < table.length; row += 1) {
    if (tests.every(({ values, keeps }) => keeps(values[row]))) rows.push(row);
  }
  return rows;
}

/**
 * @param {any} group
 * @returns {Filter[]}
 */
function readGroup(group) {
  const scope = readScope(group.ScopeConfiguration);
  const shared = { ...scope, crossDataSet: group.CrossDataset === "ALL_DATASETS" };
  const several = group.Filters.length > 1 ? `the filter group ${group.FilterGroupId} has several filters` : null;
  return group.Filters.map((/** @type {any} */ json) => {
    const [kind, filter] = onlyMember(json);
    const place = {
      id: filter.FilterId,
      dataSet: filter.Column?.DataSetIdentifier,
      column: filter.Column?.ColumnName,
      control: filter.DefaultFilterControlConfiguration ?? null,
      bounds: null,
    };
    const nothing = { keeps: () => () => true };
    if (several) return { ...shared, ...place, ...nothing, gap: several };
    try {
      return { ...shared, ...place, gap: null, ...readFilter(kind, filter) };
    } catch (error) {
      if (!(error instanceof Gap)) throw error;
      return { ...shared, ...place, ...nothing, gap: error.message };
    }
  });
}

/** @param {any} configuration */
function readScope(configuration) {
  const [kind, value] = onlyMember(configuration);
  if (kind === "AllSheets") return { everySheet: true, scopes: new Map() };
  if (kind !== "SelectedSheets") throw new Gap(`a filter's scope of kind ${kind} is not known here`);
  const scopes = new Map();
  for (const part of value.SheetVisualScopingConfigurations) {
    scopes.set(part.SheetId, part.Scope === "ALL_VISUALS" ? null : new Set(part.VisualIds));
  }
  return { everySheet: false, scopes };
}

/**
 * @param {string} kind
 * @param {any} filter
 */
function readFilter(kind, filter) {
  if (kind === "CategoryFilter") return readCategoryFilter(filter);
  if (kind === "NumericRangeFilter") return readRangeFilter(filter);
  throw new Gap(`a filter of kind ${kind} (${filter.FilterId}) is not applied here`);
}

/** @param {any} filter */
function readCategoryFilter(filter) {
  const [kind, settings] = onlyMember(filter.Configuration);
  if (kind === "CustomFilterConfiguration") return { keeps: keepsOne(filter.FilterId, settings) };
  if (kind === "FilterListConfiguration" || kind === "CustomFilterListConfiguration") {
    return { keeps: keepsListed(filter.FilterId, settings) };
  }
  throw new Gap(`a category filter of kind ${kind} is not applied here`);
}

/**
 * One value to compare with: a parameter's, or one in the definition.
 *
 * @param {string} id
 * @param {any} settings
 */
function keepsOne(id, settings) {
  const opposite = settings.MatchOperator in OPPOSITES;
  const matches = OPERATORS[OPPOSITES[settings.MatchOperator] ?? settings.MatchOperator];
  if (!matches) throw new Gap(`the filter ${id} has an operator that is not known here: ${settings.MatchOperator}`);
  return (/** @type {Choices} */ choices) => {
    if (settings.SelectAllOptions === "FILTER_ALL_VALUES" && !settings.ParameterName) return () => true;
    const wanted = settings.ParameterName ? choices.parameters[settings.ParameterName] : settings.CategoryValue;
    if (wanted === undefined) throw new Gap(`the filter ${id} compares with nothing`);
    return ofNulls(settings.NullOption, opposite, (value) => matches(value, wanted) !== opposite);
  };
}

/**
 * A list of values, whole ones whatever the operator's name; what the reader ticked stands before the definition's.
 *
 * @param {string} id
 * @param {any} settings
 */
function keepsListed(id, settings) {
  const opposite = settings.MatchOperator in OPPOSITES;
  if (!opposite && !["CONTAINS", "EQUALS"].includes(settings.MatchOperator)) {
    throw new Gap(`the filter ${id} has an operator that is not known here: ${settings.MatchOperator}`);
  }
  return (/** @type {Choices} */ choices) => {
    const ticked = choices.lists[id];
    if (ticked === undefined && settings.SelectAllOptions === "FILTER_ALL_VALUES") return () => true;
    const listed = new Set(ticked ?? settings.CategoryValues ?? []);
    const turned = opposite && ticked === undefined;
    return ofNulls(settings.NullOption, turned, (value) => listed.has(value) !== turned);
  };
}

/** @param {any} filter */
function readRangeFilter(filter) {
  const unknown = unknownNames(filter, [
    "FilterId",
    "Column",
    "RangeMinimum",
    "RangeMaximum",
    "IncludeMinimum",
    "IncludeMaximum",
    "NullOption",
    "DefaultFilterControlConfiguration",
  ]);
  if (unknown.length) throw new Gap(`the range filter ${filter.FilterId} has ${unknown.join(", ")}, not applied here`);
  const bounds = /** @type {[number, number]} */ ([
    staticBound(filter, filter.RangeMinimum, -Infinity),
    staticBound(filter, filter.RangeMaximum, Infinity),
  ]);
  const fromIncluded = filter.IncludeMinimum !== false;
  const toIncluded = filter.IncludeMaximum !== false;
  const keeps = (/** @type {Choices} */ choices) => {
    const [from, to] = choices.ranges[filter.FilterId] ?? bounds;
    return ofNulls(filter.NullOption, false, (value) => {
      const number = Number(value);
      return (fromIncluded ? number >= from : number > from) && (toIncluded ? number <= to : number < to);
    });
  };
  return { keeps, bounds };
}

/**
 * @param {any} filter
 * @param {any} bound
 * @param {number} open
 */
function staticBound(filter, bound, open) {
  if (!bound) return open;
  if (bound.StaticValue === undefined) throw new Gap(`the range filter ${filter.FilterId} has a parameter as its end`);
  return Number(bound.StaticValue);
}

/**
 * @param {string | undefined} option QuickSight's `NullOption`; without one, what a list is compared with decides
 * @param {boolean} keptWithout
 * @param {(value: any) => boolean} keeps
 * @returns {(value: Value) => boolean}
 */
function ofNulls(option, keptWithout, keeps) {
  if (option === "NULLS_ONLY") return (value) => value === null;
  const nulls = option === undefined ? keptWithout : option === "ALL_VALUES";
  return (value) => (value === null ? nulls : keeps(value));
}
