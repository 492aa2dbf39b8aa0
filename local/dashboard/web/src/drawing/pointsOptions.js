/** Scatter plots as options of ECharts. */
import { write } from "../engine/formats.js";
import { axisFrame, tooltip, valueAxis } from "./axes.js";
import { SYMBOLS } from "./cartesianOptions.js";

/**
 * @param {import("../visuals/points.js").PointsResult} result
 * @param {unknown} _ a scatter plot has nothing to look up in its spec
 * @param {import("./cartesianOptions.js").Look} look
 * @returns {any}
 */
export function pointsOptions(result, _, look) {
  return {
    ...axisFrame(look, false),
    xAxis: {
      ...valueAxis(result.xFormat, look, false, false),
      splitLine: { show: false },
      axisLine: { show: true, lineStyle: { color: look.colors.line } },
      splitNumber: Math.max(2, Math.floor(look.width / 110)),
    },
    yAxis: valueAxis(result.yFormat, look, false, false),
    tooltip: tooltip((items) => tooltipLines(items[0], result, look), "item", look),
    series: result.series.map((series, place) => ({
      type: "scatter",
      name: series.name,
      data: series.points.map((point) => [point.x, point.y]),
      symbol: SYMBOLS[place % SYMBOLS.length],
      symbolSize: 11,
      itemStyle: { color: look.series[place], opacity: 0.9 },
      // The first, which the definition names first, before the others.
      z: result.series.length - place + 2,
    })),
  };
}

/**
 * @param {any} item
 * @param {import("../visuals/points.js").PointsResult} result
 * @param {import("./cartesianOptions.js").Look} look
 */
function tooltipLines(item, result, look) {
  const series = result.series[item.seriesIndex];
  const point = series.points[item.dataIndex];
  return {
    head: point.name || series.name,
    lines: [
      { color: look.series[item.seriesIndex], name: series.name, value: "" },
      { color: null, name: result.categoryTitle, value: write(point.x, result.xFormat) },
      { color: null, name: result.valueTitle, value: write(point.y, result.yFormat) },
    ],
  };
}
