/** Box plots as options of ECharts: boxes, and what lies beyond their whiskers as dots. */
import { write } from "../engine/formats.js";
import { axisFrame, categoryLabels, tooltip, valueAxis } from "./axes.js";
import { counted } from "../dom.js";

/** The numbers of a box, in the order in which they are read. */
export const BOX_NUMBERS = /** @type {const} */ ([
  ["count", "count"],
  ["min", "min"],
  ["low", "whisker from"],
  ["q1", "25 %"],
  ["median", "50 %"],
  ["q3", "75 %"],
  ["high", "whisker to"],
  ["max", "max"],
]);

/**
 * @param {import("../visuals/boxes.js").BoxesResult} result
 * @param {{outliers: boolean}} spec
 * @param {import("./cartesianOptions.js").Look} look
 * @returns {any}
 */
export function boxesOptions(result, spec, look) {
  const color = look.series[0];
  const names = result.boxes.map((box) => box.name);
  // Values of the same box that are equal lie on one another: one dot shows them all.
  const dots = result.boxes.flatMap((box, place) => [...new Set(box.outliers)].map((value) => [place, value]));
  return {
    ...axisFrame(look, false),
    xAxis: {
      type: "category",
      data: names,
      axisLine: { lineStyle: { color: look.colors.line } },
      axisTick: { show: false },
      axisLabel: categoryLabels(names, false, look),
    },
    yAxis: valueAxis(result.format, look, false, true),
    tooltip: tooltip((items) => tooltipLines(items[0], result), "item", look),
    series: [
      {
        type: "boxplot",
        data: result.boxes.map((box) => [box.low, box.q1, box.median, box.q3, box.high]),
        boxWidth: [8, 46],
        itemStyle: { color: `${color}26`, borderColor: color, borderWidth: 1.6 },
      },
      ...(spec.outliers
        ? [
            {
              type: "scatter",
              data: dots,
              symbolSize: 4,
              itemStyle: { color, opacity: 0.55 },
              large: dots.length > 2000,
            },
          ]
        : []),
    ],
  };
}

/**
 * @param {any} item
 * @param {import("../visuals/boxes.js").BoxesResult} result
 */
function tooltipLines(item, result) {
  const isBox = item.seriesType === "boxplot";
  const box = result.boxes[isBox ? item.dataIndex : item.data[0]];
  const line = (/** @type {string} */ name, /** @type {number} */ value) => ({
    color: null,
    name,
    value: name === "count" ? value.toLocaleString("en-US") : write(value, result.format),
  });
  if (!isBox) return { head: box.name, lines: [line("beyond the whisker", item.data[1])] };
  return {
    head: box.name,
    lines: [
      ...BOX_NUMBERS.map(([key, name]) => line(name, box[key])),
      { color: null, name: "beyond the whiskers", value: counted(box.outliers.length, "value") },
    ],
  };
}
