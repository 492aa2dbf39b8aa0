import assert from "node:assert/strict";
import { test } from "node:test";
import { Table } from "../../../local/dashboard/web/src/engine/table.js";
import { filterRows, filtersOn, readFilterGroups } from "../../../local/dashboard/web/src/reading/filters.js";

const COLUMN = { DataSetIdentifier: "scores", ColumnName: "model" };
const NOTHING = { parameters: {}, lists: {}, ranges: {} };
const TABLE = new Table(
  [
    { name: "model", type: "STRING" },
    { name: "score", type: "DECIMAL" },
  ],
  [
    ["ab", "b", null, "abc"],
    [0.1, 0.5, 0.9, null],
  ],
  4,
);

function group(filter, more = {}) {
  return {
    FilterGroupId: "g", Filters: [filter], ScopeConfiguration: { AllSheets: {} }, Status: "ENABLED",
    CrossDataset: "SINGLE_DATASET", ...more,
  }; // prettier-ignore
}

function category(kind, settings) {
  return { CategoryFilter: { FilterId: "f", Column: COLUMN, Configuration: { [kind]: settings } } };
}

function rows(filter, choices = NOTHING) {
  return filterRows(TABLE, readFilterGroups([group(filter)]), choices);
}

test("a list keeps whole values, whatever its operator is called", () => {
  const list = (settings) => category("FilterListConfiguration", settings);
  assert.deepEqual(rows(list({ MatchOperator: "CONTAINS", CategoryValues: ["ab"] })), [0]);
  assert.deepEqual(rows(list({ MatchOperator: "DOES_NOT_CONTAIN", CategoryValues: ["ab"] })), [1, 2, 3]);
  const nulls = { MatchOperator: "CONTAINS", CategoryValues: ["b"], NullOption: "ALL_VALUES" };
  assert.deepEqual(rows(list(nulls)), [1, 2]);
});

test("all values are all, until the reader ticks some; none ticked keeps none", () => {
  const filter = category("FilterListConfiguration", {
    MatchOperator: "CONTAINS",
    SelectAllOptions: "FILTER_ALL_VALUES",
  });
  assert.deepEqual(rows(filter), [0, 1, 2, 3]);
  assert.deepEqual(rows(filter, { ...NOTHING, lists: { f: ["b", "abc"] } }), [1, 3]);
  assert.deepEqual(rows(filter, { ...NOTHING, lists: { f: [] } }), []);
});

test("a custom list is one too", () => {
  const settings = { MatchOperator: "CONTAINS", CategoryValues: ["abc"] };
  assert.deepEqual(rows(category("CustomFilterListConfiguration", settings)), [3]);
});

test("one value: of the definition or of a parameter, with every operator", () => {
  const custom = (settings) => category("CustomFilterConfiguration", { NullOption: "NON_NULLS_ONLY", ...settings });
  assert.deepEqual(rows(custom({ MatchOperator: "EQUALS", CategoryValue: "b" })), [1]);
  assert.deepEqual(rows(custom({ MatchOperator: "CONTAINS", CategoryValue: "b" })), [0, 1, 3]);
  assert.deepEqual(rows(custom({ MatchOperator: "STARTS_WITH", CategoryValue: "ab" })), [0, 3]);
  assert.deepEqual(rows(custom({ MatchOperator: "ENDS_WITH", CategoryValue: "c" })), [3]);
  assert.deepEqual(rows(custom({ MatchOperator: "DOES_NOT_EQUAL", CategoryValue: "b" })), [0, 3]);
  const byParameter = custom({ MatchOperator: "EQUALS", ParameterName: "which" });
  assert.deepEqual(rows(byParameter, { ...NOTHING, parameters: { which: "ab" } }), [0]);
  assert.throws(() => rows(byParameter), /compares with nothing/);
  assert.deepEqual(rows(custom({ MatchOperator: "EQUALS", CategoryValue: "b", NullOption: "NULLS_ONLY" })), [2]);
});

test("a range includes its ends or not, and keeps nulls as it says", () => {
  const range = (settings) => ({
    NumericRangeFilter: {
      FilterId: "r", Column: { ...COLUMN, ColumnName: "score" }, RangeMinimum: { StaticValue: 0.1 },
      RangeMaximum: { StaticValue: 0.9 }, IncludeMinimum: true, IncludeMaximum: true, NullOption: "NON_NULLS_ONLY",
      ...settings,
    },
  }); // prettier-ignore
  assert.deepEqual(rows(range({})), [0, 1, 2]);
  assert.deepEqual(rows(range({ IncludeMinimum: false, IncludeMaximum: false })), [1]);
  assert.deepEqual(rows(range({ NullOption: "ALL_VALUES" })), [0, 1, 2, 3]);
  assert.deepEqual(rows(range({}), { ...NOTHING, ranges: { r: [0.4, 0.6] } }), [1]);
  assert.throws(() => rows(range({ RangeMinimum: { Parameter: "p" } })), /has a parameter as its end/);
});

test("what is not applied stops the visuals in its scope by name", () => {
  assert.throws(() => rows({ TopBottomFilter: { FilterId: "top", Column: COLUMN } }), /TopBottomFilter \(top\)/);
  const two = group(category("FilterListConfiguration", { MatchOperator: "CONTAINS", CategoryValues: ["b"] }));
  two.Filters.push(two.Filters[0]);
  assert.throws(() => filterRows(TABLE, readFilterGroups([two]), NOTHING), /several filters/);
});

test("a filter holds for the visuals in its scope, across data sets where it says so", () => {
  const filter = category("FilterListConfiguration", { MatchOperator: "CONTAINS", CategoryValues: ["b"] });
  const scope = {
    SelectedSheets: {
      SheetVisualScopingConfigurations: [
        { SheetId: "one", Scope: "SELECTED_VISUALS", VisualIds: ["v"] },
        { SheetId: "two", Scope: "ALL_VISUALS" },
      ],
    },
  };
  const filters = readFilterGroups([group(filter, { ScopeConfiguration: scope })]);
  const holds = (sheet, id, dataSet, all = filters) =>
    filtersOn(all, sheet, { id, dataSet }, (name) => name === "model").length;
  assert.equal(holds("one", "v", "scores"), 1);
  assert.equal(holds("one", "w", "scores"), 0);
  assert.equal(holds("two", "w", "scores"), 1);
  assert.equal(holds("three", "v", "scores"), 0);
  assert.equal(holds("one", "v", "other"), 0);
  const everywhere = readFilterGroups([group(filter, { CrossDataset: "ALL_DATASETS" })]);
  assert.equal(holds("three", "x", "other", everywhere), 1);
  assert.equal(filtersOn(everywhere, "three", { id: "x", dataSet: "other" }, () => false).length, 0);
  assert.equal(readFilterGroups([group(filter, { Status: "DISABLED" })]).length, 0);
});
