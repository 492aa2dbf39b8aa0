/**
 * Bar, line and combo charts as options of ECharts. Pure: what is drawn follows from the result, the colors and the
 * size alone.
 *
 * @typedef {import("../visuals/cartesian.js").CartesianResult} CartesianResult
 * @typedef {{colors: import("./colors.js").Colors, series: string[], font: string, width: number, height: number,
 *   scrolls: boolean}} Look
 */
import { write } from "../engine/formats.js";
import { axisFrame, categoryLabels, tooltip, valueAxis } from "./axes.js";

export const SYMBOLS = ["circle", "diamond", "triangle", "rect"];
/** @type {("solid" | number[])[]} */
export const DASHES = ["solid", [7, 4], [2, 3], [9, 3, 2, 3]];
const MANY_POINTS = 60;
/** Flat, as the ends of an interval are drawn over a bar. */
const TICK = { symbol: "rect", symbolSize: [22, 5] };

/**
 * @param {CartesianResult} result
 * @param {{horizontal: boolean, stacked: boolean}} spec
 * @param {Look} look
 * @returns {any}
 */
export function cartesianOptions(result, spec, look) {
  const isContinuous = result.categoryKind !== "text" && result.series.every((series) => series.mark === "line");
  const category = isContinuous ? continuousAxis(result, look) : categoryAxis(result, spec.horizontal, look);
  const format = result.series[0]?.format ?? { kind: "text", nothing: null };
  const values = valueAxis(format, look, spec.horizontal, startsAtZero(result));
  const axes = [values];
  if (result.series.some((series) => series.secondAxis)) {
    const second = result.series.find((series) => series.secondAxis);
    axes.push({ ...valueAxis(second?.format ?? format, look, false, true), position: "right" });
  }
  return {
    ...axisFrame(look, spec.horizontal),
    xAxis: spec.horizontal ? values : category,
    yAxis: spec.horizontal ? category : axes,
    tooltip: tooltip((items) => tooltipLines(items, result, isContinuous), "axis", look),
    series: result.series.map((series, place) => seriesOptions(result, series, place, spec, look, isContinuous)),
  };
}

/**
 * @param {CartesianResult} result
 * @param {import("../visuals/cartesian.js").Series} series
 * @param {number} place
 * @param {{stacked: boolean}} spec
 * @param {Look} look
 * @param {boolean} isContinuous
 */
function seriesOptions(result, series, place, spec, look, isContinuous) {
  const color = look.series[place];
  const common = { name: series.name, yAxisIndex: series.secondAxis ? 1 : 0, itemStyle: { color } };
  if (series.mark === "bar") {
    const stack = spec.stacked ? { stack: "all" } : {};
    return {
      ...common,
      ...stack,
      type: "bar",
      data: series.values,
      barMaxWidth: 34,
      barGap: "8%",
      barCategoryGap: "28%",
    };
  }
  if (series.mark === "tick") {
    // Edged, so that it is seen on a bar that is as dark or as bright.
    const itemStyle = { color, borderColor: look.colors.tile, borderWidth: 1 };
    return { ...common, ...TICK, type: "line", data: series.values, lineStyle: { opacity: 0 }, itemStyle, z: 3 };
  }
  const points = isContinuous
    ? result.categories.map((category, index) => [category, series.values[index]]).filter(([, value]) => value !== null)
    : series.values;
  const many = points.length > MANY_POINTS;
  // One point beside lines is there to be seen.
  const isMark = isContinuous && points.length === 1 && result.categories.length > 1;
  return {
    ...common,
    type: "line",
    data: points,
    symbol: SYMBOLS[place % SYMBOLS.length],
    symbolSize: isMark ? 14 : many ? 4 : 8,
    showSymbol: !many || points.length < 4 * MANY_POINTS,
    lineStyle: { color, width: 2, type: DASHES[place % DASHES.length] },
    connectNulls: false,
    // Lines before bars, so that a bar does not hide the line that it is measured by.
    z: 3,
  };
}

/**
 * @param {CartesianResult} result
 * @param {boolean} horizontal
 * @param {Look} look
 */
function categoryAxis(result, horizontal, look) {
  return {
    type: "category",
    data: result.categoryLabels,
    inverse: horizontal,
    axisLine: { lineStyle: { color: look.colors.line } },
    axisTick: { show: false },
    axisLabel: categoryLabels(result.categoryLabels, horizontal, look),
  };
}

/**
 * Times and numbers stand at their places, not one beside the other.
 *
 * @param {CartesianResult} result
 * @param {Look} look
 */
function continuousAxis(result, look) {
  const isTime = result.categoryKind === "time";
  const format = result.categoryFormat;
  const single = result.categories.length === 1;
  return {
    type: isTime ? "time" : "value",
    scale: true,
    // UTC throughout, as the tables have it.
    ...(isTime && single
      ? { min: Number(result.categories[0]) - 3.6e6, max: Number(result.categories[0]) + 3.6e6 }
      : {}),
    ...(isTime || result.categories.some((category) => Number(category) < 0) ? {} : { min: 0, max: "dataMax" }),
    axisLine: { lineStyle: { color: look.colors.line } },
    axisTick: { show: false },
    splitLine: { show: false },
    splitNumber: Math.max(2, Math.floor(look.width / 150)),
    axisLabel: {
      color: look.colors.muted,
      fontFamily: look.font,
      hideOverlap: true,
      formatter: (/** @type {number} */ value) => (isTime ? write(value, shortTime(result)) : write(value, format)),
    },
  };
}

/**
 * Days where the times lie days apart, else with hours.
 *
 * @param {CartesianResult} result
 * @returns {import("../engine/formats.js").Format}
 */
function shortTime(result) {
  const first = Number(result.categories[0]);
  const last = Number(result.categories[result.categories.length - 1]);
  return { kind: "time", pattern: last - first > 4 * 86.4e6 ? "YYYY-MM-DD" : "MM-DD HH:mm", nothing: null };
}

/** @param {CartesianResult} result */
function startsAtZero(result) {
  if (result.series.some((series) => series.mark === "bar")) return true;
  const numbers = result.series.flatMap((series) => series.values).filter((value) => typeof value === "number");
  if (numbers.length === 0) return true;
  const most = numbers.reduce((a, b) => Math.max(a, b));
  const least = numbers.reduce((a, b) => Math.min(a, b));
  return least < 0 || most - least > most / 4;
}

/**
 * @param {any[]} items ECharts' series under the pointer
 * @param {CartesianResult} result
 * @param {boolean} isContinuous
 */
function tooltipLines(items, result, isContinuous) {
  const head = isContinuous ? write(items[0].data[0], result.categoryFormat) : items[0].name;
  return {
    head: `${result.categoryTitle}: ${head}`,
    lines: items.map((item) => {
      const series = result.series[item.seriesIndex];
      const value = isContinuous ? item.data[1] : series.values[item.dataIndex];
      return { color: item.color, name: series.name, value: write(value, series.format) };
    }),
  };
}
