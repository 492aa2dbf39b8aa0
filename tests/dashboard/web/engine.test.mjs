import assert from "node:assert/strict";
import { test } from "node:test";
import { aggregate, quantile } from "../../../local/dashboard/web/src/engine/aggregate.js";
import { cutTime, formatTime } from "../../../local/dashboard/web/src/engine/dates.js";
import { PLAIN_NUMBER, readNumberFormat, write } from "../../../local/dashboard/web/src/engine/formats.js";
import { sortBy } from "../../../local/dashboard/web/src/engine/sort.js";
import { decodeAnswer } from "../../../local/dashboard/web/src/engine/table.js";

const over = (values, name, percentile) =>
  aggregate(
    values,
    values.map((_, row) => row),
    { name, percentile },
  );

test("aggregations leave nulls out, as SQL does", () => {
  const values = [4, null, 1, 3, null];
  assert.equal(over(values, "SUM"), 8);
  assert.equal(over(values, "AVERAGE"), 8 / 3);
  assert.equal(over(values, "MIN"), 1);
  assert.equal(over(values, "MAX"), 4);
  assert.equal(over(values, "COUNT"), 3);
  assert.equal(over(values, "MEDIAN"), 3);
  assert.equal(over([2, 4, 4, 4, 5, 5, 7, 9], "STDEVP"), 2);
  assert.equal(over([1, 3], "STDEV"), Math.sqrt(2));
  assert.equal(over([1, 3], "VARP"), 1);
  assert.equal(over(["a", "b", null, "a"], "DISTINCT_COUNT"), 2);
  assert.equal(over([10, 20, 30, 40], "PERCENTILE", 25), 17.5);
});

test("of nothing but nulls COUNT is nought and all else null", () => {
  for (const name of ["SUM", "AVERAGE", "MIN", "MAX", "MEDIAN", "STDEV"]) assert.equal(over([null, null], name), null);
  assert.equal(over([null], "COUNT"), 0);
  assert.equal(over([5], "STDEV"), null, "a sample of one has no deviation");
});

test("an unknown aggregation is refused by name", () => {
  assert.throws(() => over([1], "GEOMETRIC_MEAN"), /GEOMETRIC_MEAN/);
});

test("quantiles interpolate linearly", () => {
  assert.equal(quantile([1, 2, 3, 4], 0.25), 1.75);
  assert.equal(quantile([7], 0.9), 7);
});

test("times are cut and written in UTC", () => {
  const time = Date.UTC(2026, 10, 25, 23, 59, 58, 7);
  assert.equal(formatTime(time, "YYYY-MM-DD HH:mm"), "2026-11-25 23:59");
  assert.equal(formatTime(time, "D MMM YYYY [at] h:mm:ss.SSS A"), "25 Nov 2026 at 11:59:58.007 PM");
  assert.equal(formatTime(cutTime(time, "WEEK"), "YYYY-MM-DD"), "2026-11-22", "QuickSight's weeks begin on Sunday");
  assert.equal(formatTime(cutTime(time, "QUARTER"), "YYYY-MM-DD"), "2026-10-01");
  assert.equal(cutTime(time, "MINUTE"), Date.UTC(2026, 10, 25, 23, 59));
  assert.throws(() => cutTime(time, "FORTNIGHT"), /FORTNIGHT/);
  assert.throws(() => formatTime(time, "QQ YYYY"), /QQ/);
});

test("numbers are written as the definition says", () => {
  const format = (json) => readNumberFormat(json);
  const number = (settings) => format({ NumberDisplayFormatConfiguration: settings });
  const decimals = (places) => ({ DecimalPlacesConfiguration: { DecimalPlaces: places } });
  assert.equal(write(0.51561, number(decimals(4))), "0.5156");
  assert.equal(write(2301, number(decimals(0))), "2,301");
  assert.equal(
    write(-0.5, number({ ...decimals(2), NegativeValueConfiguration: { DisplayMode: "NEGATIVE" } })),
    "−0.50",
  );
  assert.equal(write(-0.00001, number(decimals(2))), "0.00", "no minus before nothing");
  assert.equal(write(0.549, format({ PercentageDisplayFormatConfiguration: decimals(1) })), "54.9%");
  assert.equal(write(12345, number({ ...decimals(1), NumberScale: "THOUSANDS" })), "12.3K");
  assert.equal(write(1.5, number({ Prefix: "$", Suffix: " a day", ...decimals(2) })), "$1.50 a day");
  assert.equal(write(null, PLAIN_NUMBER), "–");
  assert.equal(write(null, number({ NullValueFormatConfiguration: { NullString: "none" } })), "none");
  assert.equal(write(Number.NaN, PLAIN_NUMBER), "NaN");
  assert.throws(() => number({ Wobble: { a: 1 } }), /Wobble/);
});

test("nothing comes last in both directions, and equal ones keep their places", () => {
  const items = [
    { v: null, n: 0 },
    { v: 2, n: 1 },
    { v: 1, n: 2 },
    { v: 2, n: 3 },
  ];
  const order = (descending) => sortBy(items, [{ of: (item) => item.v, descending }]).map((item) => item.n);
  assert.deepEqual(order(false), [2, 1, 3, 0]);
  assert.deepEqual(order(true), [1, 3, 2, 0]);
});

test("an answer is read by its columns' types", () => {
  const columns = [
    { name: "text", type: "STRING" },
    { name: "number", type: "DECIMAL" },
  ];
  const answer = {
    data_set: "d", parameters: {}, columns: ["text", "number"], values: [1, 0], total_rows: 5,
  }; // prettier-ignore
  const part = {
    answers: [answer],
    texts: ["zero", "one"],
    columns: [
      ["NaN", 1.5, "-Infinity"],
      [1, null, 1],
    ],
  };
  const table = decodeAnswer(answer, columns, part);
  assert.deepEqual(table.column("text").values, ["one", null, "one"]);
  assert.deepEqual(table.column("number").values, [NaN, 1.5, -Infinity]);
  assert.equal(table.totalRows, 5);
  assert.throws(() => table.column("other"), /no column other/);
  assert.throws(() => decodeAnswer({ ...answer, columns: ["text", "odd"] }, columns, part), /odd/);
});
