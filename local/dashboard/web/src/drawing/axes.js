/**
 * What all charts share: frame, value axis, labels and tooltip.
 *
 * @typedef {import("./cartesianOptions.js").Look} Look
 */
import { write } from "../engine/formats.js";
import { h } from "../dom.js";

const LINE_HEIGHT = 15;
const LABEL_CHARACTER = 6.6;

/**
 * @param {Look} look
 * @param {boolean} horizontal
 */
export function axisFrame(look, horizontal) {
  return {
    animation: false,
    textStyle: { fontFamily: look.font, color: look.colors.text },
    // Room for the axes' labels is made by ECharts; the axes' titles are elements around the chart.
    grid: {
      left: 6,
      right: horizontal ? 26 : 16,
      top: 10,
      bottom: 6,
      outerBoundsMode: "same",
      outerBoundsContain: "axisLabel",
    },
  };
}

/**
 * @param {import("../engine/formats.js").Format} format
 * @param {Look} look
 * @param {boolean} horizontal
 * @param {boolean} fromZero
 */
export function valueAxis(format, look, horizontal, fromZero) {
  const axisFormat = format.kind === "number" ? { ...format, decimals: null } : format;
  return {
    type: "value",
    scale: !fromZero,
    axisLine: { show: false },
    axisTick: { show: false },
    // Above the bars where they scroll, so that it stays with the first of them.
    position: horizontal && look.scrolls ? "top" : undefined,
    splitNumber: horizontal ? Math.max(2, Math.floor(look.width / 130)) : Math.max(3, Math.floor(look.height / 38)),
    axisLabel: {
      color: look.colors.muted,
      fontFamily: look.font,
      hideOverlap: true,
      formatter: (/** @type {number} */ value) => write(value, axisFormat),
    },
    splitLine: { lineStyle: { color: look.colors.grid } },
  };
}

/**
 * Labels that do not run into one another: broken into lines, leaning, or every so many.
 *
 * @param {string[]} labels
 * @param {boolean} horizontal
 * @param {Look} look
 */
export function categoryLabels(labels, horizontal, look) {
  const common = { color: look.colors.muted, fontFamily: look.font, fontSize: 12, lineHeight: LINE_HEIGHT };
  const longest = longestLabel(labels);
  if (horizontal) {
    return { ...common, interval: 0, width: uprightWidth(longest, look.width), overflow: "break" };
  }
  const room = (look.width - 70) / Math.max(1, labels.length);
  if (longest <= room - 8) return { ...common, interval: 0 };
  if (room >= 64) return { ...common, interval: 0, width: room - 8, overflow: "break" };
  const isShort = longest <= 60;
  if (isShort) return { ...common, interval: "auto", hideOverlap: true };
  return {
    ...common,
    interval: room >= 16 ? 0 : "auto",
    rotate: 40,
    width: Math.min(150, longest + 4),
    overflow: "truncate",
  };
}

/**
 * Height of the labels beside horizontal bars: they break where the chart is narrow, and break early, between words.
 *
 * @param {string[]} labels
 * @param {number} width of the chart
 */
export function uprightLabelHeight(labels, width) {
  const longest = longestLabel(labels);
  const room = uprightWidth(longest, width);
  return longest <= room ? LINE_HEIGHT : (Math.ceil(longest / room) + 1) * LINE_HEIGHT;
}

/** @param {string[]} labels */
function longestLabel(labels) {
  return labels.reduce((most, label) => Math.max(most, label.length), 0) * LABEL_CHARACTER;
}

/**
 * @param {number} longest
 * @param {number} width
 */
function uprightWidth(longest, width) {
  return Math.min(longest + 4, width * 0.38);
}

/**
 * A tooltip of plain elements: what it says is put in as text.
 *
 * @param {(items: any[]) => {head: string, lines: {color: string | null, name: string, value: string}[]}} contents
 * @param {"axis" | "item"} trigger
 * @param {Look} look
 */
export function tooltip(contents, trigger, look) {
  return {
    trigger,
    confine: true,
    axisPointer: { type: "shadow", shadowStyle: { color: look.colors.muted, opacity: 0.12 } },
    backgroundColor: look.colors.tile,
    borderColor: look.colors.line,
    textStyle: { color: look.colors.text, fontFamily: look.font, fontSize: 13 },
    formatter: (/** @type {any} */ given) => {
      const { head, lines } = contents(Array.isArray(given) ? given : [given]);
      return h(
        "div",
        { class: "tooltip" },
        h("strong", {}, head),
        ...lines.map(({ color, name, value }) => {
          const swatch = h("i", {});
          if (color) swatch.style.background = color;
          return h("div", {}, swatch, h("span", {}, name), h("b", {}, value));
        }),
      );
    },
  };
}
