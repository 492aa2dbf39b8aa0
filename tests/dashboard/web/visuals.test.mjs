import assert from "node:assert/strict";
import { test } from "node:test";
import { Table } from "../../../local/dashboard/web/src/engine/table.js";
import { boxOf } from "../../../local/dashboard/web/src/visuals/boxes.js";
import { KINDS, readVisual } from "../../../local/dashboard/web/src/visuals/read.js";
import { readDefinition } from "../../../local/dashboard/web/src/reading/definition.js";

const TABLE = new Table(
  [
    { name: "set", type: "STRING" },
    { name: "model", type: "STRING" },
    { name: "score", type: "DECIMAL" },
    { name: "place", type: "INTEGER" },
    { name: "at", type: "DATETIME" },
  ],
  [
    ["b", "a", "a", "b", "a"],
    ["x", "x", "y", "y", "x"],
    [1, 2, 4, null, 6],
    [2, 1, 1, 2, 1],
    [0, 59_999, 60_000, 120_000, 0],
  ],
  5,
);
const at = (column) => ({ DataSetIdentifier: "d", ColumnName: column });
const dimension = (column) => ({ CategoricalDimensionField: { FieldId: `f-${column}`, Column: at(column) } });
const measure = (column, aggregation = "AVERAGE") => ({
  NumericalMeasureField: {
    FieldId: `f-${column}`,
    Column: at(column),
    AggregationFunction: { SimpleNumericalAggregation: aggregation },
  },
});

function visual(kind, configuration, more = {}) {
  return readVisual({
    [kind]: { VisualId: "v", Title: { FormatText: { PlainText: "T" } }, ChartConfiguration: configuration, ...more },
  });
}

function compute(kind, configuration) {
  const read = visual(kind, configuration);
  assert.equal(read.gap, null);
  return KINDS[kind].compute(read.spec, TABLE, TABLE.allRows());
}

function bars(more = {}, wells = {}) {
  return {
    FieldWells: {
      BarChartAggregatedFieldWells: { Category: [dimension("set")], Values: [measure("score")], ...wells },
    },
    ...more,
  };
}

test("bars are put together by category and color", () => {
  const result = compute("BarChartVisual", bars({ Orientation: "VERTICAL" }, { Colors: [dimension("model")] }));
  assert.deepEqual(result.categories, ["a", "b"]);
  assert.deepEqual(
    result.series.map(({ name, values }) => [name, values]),
    [
      ["x", [4, 1]],
      ["y", [4, null]],
    ],
  );
});

test("categories are sorted by a column of their rows", () => {
  const sort = (Direction) => ({
    SortConfiguration: {
      CategorySort: [
        {
          ColumnSort: {
            SortBy: at("place"), Direction,
            AggregationFunction: { NumericalAggregationFunction: { SimpleNumericalAggregation: "MIN" } },
          },
        },
      ],
    },
  }); // prettier-ignore
  assert.deepEqual(compute("BarChartVisual", bars(sort("DESC"))).categories, ["b", "a"]);
  assert.deepEqual(compute("BarChartVisual", bars(sort("ASC"))).categories, ["a", "b"]);
});

test("the definition's colors come first, in its order", () => {
  const palette = {
    VisualPalette: { ColorMap: [{ Element: { FieldId: "f-model", FieldValue: "y" }, Color: "#112233" }] },
  };
  const { series } = compute("BarChartVisual", bars(palette, { Colors: [dimension("model")] }));
  assert.deepEqual(
    series.map(({ name, color }) => [name, color]),
    [
      ["y", "#112233"],
      ["x", null],
    ],
  );
});

test("lines of a combo chart are over the whole category", () => {
  const result = compute("ComboChartVisual", {
    FieldWells: {
      ComboChartAggregatedFieldWells: {
        Category: [dimension("set")], Colors: [dimension("model")], BarValues: [measure("score")],
        LineValues: [measure("place", "SUM")],
      },
    },
    SingleAxisOptions: { YAxisOptions: { YAxis: "PRIMARY_Y_AXIS" } },
  }); // prettier-ignore
  assert.deepEqual(
    result.series.map(({ name, mark, values }) => [name, mark, values]),
    [
      ["x", "bar", [4, 1]],
      ["y", "bar", [4, null]],
      ["place", "line", [3, 4]],
    ],
  );
  assert.ok(result.series.every((series) => !series.secondAxis));
  assert.deepEqual(
    result.series.map((series) => series.isMeasure),
    [false, false, true],
  );
});

test("of a combo chart's lines without a line their marks are left", () => {
  const configuration = {
    FieldWells: {
      ComboChartAggregatedFieldWells: {
        Category: [dimension("set")], Colors: [dimension("model")], BarValues: [measure("score")],
        LineValues: [measure("place", "SUM")],
      },
    },
    DefaultSeriesSettings: {
      LineStyleSettings: { LineVisibility: "HIDDEN" },
      MarkerStyleSettings: { MarkerVisibility: "VISIBLE", MarkerShape: "SQUARE" },
    },
    BarsArrangement: "STACKED",
  }; // prettier-ignore
  const read = visual("ComboChartVisual", configuration);
  assert.deepEqual([read.gap, read.notApplied, read.spec.stacked], [null, [], true]);
  const { series } = KINDS.ComboChartVisual.compute(read.spec, TABLE, TABLE.allRows());
  assert.deepEqual(
    series.map(({ name, mark, isMeasure, secondAxis }) => [name, mark, isMeasure, secondAxis]),
    [
      ["x", "bar", false, false],
      ["y", "bar", false, false],
      ["place", "tick", true, true],
    ],
  );
  const wide = { LineStyleSettings: { LineWidth: "4px" }, DecalSettings: { ElementType: "x" } };
  const strange = visual("ComboChartVisual", { ...configuration, DefaultSeriesSettings: wide });
  assert.deepEqual(strange.notApplied, ["DecalSettings", "LineWidth"]);
  assert.equal(strange.spec.marksAlone, false);
});

test("times are cut to their granularity", () => {
  const time = { DateDimensionField: { FieldId: "f-at", Column: at("at"), DateGranularity: "MINUTE" } };
  const wells = {
    LineChartAggregatedFieldWells: { Category: [time], Values: [measure("score", "COUNT")], Colors: [] },
  };
  const result = compute("LineChartVisual", { FieldWells: wells });
  assert.deepEqual(result.categories, [0, 60_000, 120_000]);
  assert.deepEqual(result.series[0].values, [3, 1, 0]);
});

test("a number is compared with its target", () => {
  const fields = { Values: [measure("score", "MAX")], TargetValues: [measure("place", "MAX")], TrendGroups: [] };
  const kpi = (method) =>
    compute("KPIVisual", { FieldWells: fields, KPIOptions: { Comparison: { ComparisonMethod: method } } });
  assert.equal(kpi("DIFFERENCE").difference, 4);
  assert.equal(kpi("PERCENT").difference, 3);
  assert.equal(kpi("PERCENT_DIFFERENCE").difference, 2);
});

test("boxes, whiskers and what lies beyond", () => {
  const box = boxOf("b", [1, 2, 3, 4, 5, 100]);
  assert.deepEqual(box, {
    name: "b", count: 6, min: 1, q1: 2.25, median: 3.5, q3: 4.75, max: 100, low: 1, high: 5, outliers: [100],
  }); // prettier-ignore
  assert.deepEqual(boxOf("one", [0.5]).outliers, []);
});

test("a table has its columns' titles, order and widths, and sorts by a hidden one", () => {
  const field = (column) => ({ FieldId: `f-${column}`, Column: at(column) });
  const result = compute("TableVisual", {
    FieldWells: { TableUnaggregatedFieldWells: { Values: [field("set"), field("score"), field("place")] } },
    SortConfiguration: {
      RowSort: [
        { FieldSort: { FieldId: "f-place", Direction: "ASC" } },
        { FieldSort: { FieldId: "f-score", Direction: "DESC" } },
      ],
    },
    FieldOptions: {
      SelectedFieldOptions: [
        { FieldId: "f-place", Visibility: "HIDDEN" },
        { FieldId: "f-set", CustomLabel: "evaluation set", Width: "90px" },
      ],
      Order: ["f-score", "f-set", "f-place"],
    },
  });
  assert.deepEqual(
    result.columns.map(({ title, width, hidden }) => [title, width, hidden]),
    [
      ["score", null, false],
      ["evaluation set", 90, false],
      ["place", null, true],
    ],
  );
  assert.deepEqual(result.rows, [4, 2, 1, 0, 3]);
});

test("an aggregated table is put together by its groups", () => {
  const result = compute("TableVisual", {
    FieldWells: {
      TableAggregatedFieldWells: { GroupBy: [dimension("set"), dimension("model")], Values: [measure("score", "SUM")] },
    },
  });
  const rows = result.rows.map((row) => result.columns.map((column) => column.values[row]));
  assert.deepEqual(rows, [
    ["b", "x", 1],
    ["a", "x", 8],
    ["a", "y", 4],
    ["b", "y", null],
  ]);
});

test("a kind or a part that is not drawn is named", () => {
  assert.match(visual("InsightVisual", {}).gap, /kind InsightVisual is not drawn here/);
  assert.match(visual("BarChartVisual", bars({}, { SmallMultiples: [dimension("set")] })).gap, /SmallMultiples/);
  assert.match(visual("BarChartVisual", bars({ BarsArrangement: "STACKED_PERCENT" })).gap, /100 %/);
  assert.deepEqual(visual("BarChartVisual", bars({ ReferenceLines: [{}] })).notApplied, ["ReferenceLines"]);
  const limited = { SortConfiguration: { CategoryItemsLimit: { ItemsLimit: 5 } } };
  assert.match(visual("BarChartVisual", bars(limited)).gap, /CategoryItemsLimit/);
});

test("calculated fields are refused by name, in visuals and in filters", () => {
  const definition = readDefinition({
    CalculatedFields: [{ DataSetIdentifier: "d", Name: "score", Expression: "1" }],
    ColumnConfigurations: [{ Column: at("set") }],
    Sheets: [{ SheetId: "s", Name: "S", Visuals: [{ BarChartVisual: { VisualId: "v", ChartConfiguration: bars() } }] }],
  });
  assert.match(definition.sheets[0].tiles[0].visual.gap, /calculated field score/);
  assert.deepEqual(definition.notApplied, ["ColumnConfigurations"]);
});

function points(more = {}, wells = {}) {
  return {
    FieldWells: {
      ScatterPlotCategoricallyAggregatedFieldWells: {
        XAxis: [measure("place", "MIN")],
        YAxis: [measure("score")],
        Category: [dimension("model")],
        Label: [dimension("set")],
        ...wells,
      },
    },
    ...more,
  };
}

test("points stand at their measures, one a label and color", () => {
  const palette = (FieldValue, Color) => ({ Element: { FieldId: "f-model", FieldValue }, Color });
  const result = compute(
    "ScatterPlotVisual",
    points({ VisualPalette: { ColorMap: [palette("y", "#00784a"), palette("x", "#1f8adb")] } }),
  );
  assert.deepEqual(
    result.series.map(({ name, color, points }) => [name, color, points]),
    [
      // The score of y's point in b is null: it has no place.
      ["y", "#00784a", [{ name: "a", x: 1, y: 4 }]],
      [
        "x",
        "#1f8adb",
        [
          { name: "a", x: 1, y: 4 },
          { name: "b", x: 2, y: 1 },
        ],
      ],
    ],
  );
  const plain = compute("ScatterPlotVisual", points({}, { Category: [], Label: [] }));
  assert.deepEqual(
    plain.series.map(({ points }) => points),
    [[{ name: "", x: 1, y: 3.25 }]],
  );
});

test("what a scatter plot has that is not drawn is named", () => {
  const size = visual("ScatterPlotVisual", points({}, { Size: [measure("score")] }));
  assert.match(size.gap, /it has fields in Size/);
  const without = visual("ScatterPlotVisual", points({}, { XAxis: [] }));
  assert.match(without.gap, /it has no field in XAxis/);
  const unaggregated = visual("ScatterPlotVisual", {
    FieldWells: { ScatterPlotUnaggregatedFieldWells: { XAxis: [dimension("set")] } },
  });
  assert.match(unaggregated.gap, /its fields are ScatterPlotUnaggregatedFieldWells/);
  const labelled = visual("ScatterPlotVisual", points({ DataLabels: { Visibility: "VISIBLE" } }));
  assert.deepEqual(labelled.notApplied, ["DataLabels"]);
});
