/** A chart in its place: ECharts on a canvas, a legend of elements, and one label for who cannot see it. */
import { BarChart, BoxplotChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { h } from "../dom.js";
import { uprightLabelHeight } from "./axes.js";
import { boxesOptions } from "./boxesOptions.js";
import { DASHES, SYMBOLS, cartesianOptions } from "./cartesianOptions.js";
import { pointsOptions } from "./pointsOptions.js";
import { seriesColors } from "./colors.js";

use([BarChart, LineChart, BoxplotChart, ScatterChart, GridComponent, TooltipComponent, CanvasRenderer]);

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';
const SVG = "http://www.w3.org/2000/svg";
const HORIZONTAL_BAR = 7;
const HORIZONTAL_GAP = 5;
const AXIS_HEIGHT = 28;
/** Kind of visual -> what draws it; the others have categories. @type {Record<string, (result: any, spec: any, look: any) => any>} */
const OPTIONS = { BoxPlotVisual: boxesOptions, ScatterPlotVisual: pointsOptions };
/** Bars are rather a little thinner than out of sight. */
const SQUEEZE = 0.85;

export class ChartView {
  /** @param {string} label what the chart says to who cannot see it */
  constructor(label) {
    this.canvas = h("div", { class: "chart-canvas", role: "img", "aria-label": label });
    this.scroller = h("div", { class: "chart-scroller" }, this.canvas);
    this.legend = h("ul", { class: "legend", "aria-label": "Legend" });
    this.upright = h("div", { class: "axis-title" });
    this.along = h("div", { class: "axis-title along" });
    this.element = h("div", { class: "chart" }, this.legend, this.upright, this.scroller, this.along);
    this.chart = null;
    /** @type {(() => void) | null} */
    this.redraw = null;
    this.size = "";
    this.observer = new ResizeObserver(() => this.redrawIfResized());
    this.observer.observe(this.scroller);
  }

  /**
   * @param {string} kind
   * @param {any} spec
   * @param {any} result
   * @param {{colors: import("./colors.js").Colors, palette: string[]}} theme
   */
  draw(kind, spec, result, theme) {
    const isBoxes = kind === "BoxPlotVisual";
    const series = seriesColors(isBoxes ? [{ color: null }] : result.series, theme.palette, theme.colors);
    this.drawLegend(isBoxes || !spec.legend ? [] : result.series, series);
    const [upright, along] = isBoxes
      ? [result.valueTitle, result.groupTitle]
      : [result.valueTitle, result.categoryTitle];
    this.upright.textContent = spec.horizontal ? along : upright;
    this.along.textContent = spec.horizontal ? upright : along;
    this.redraw = () => {
      const { clientWidth: width, clientHeight } = this.scroller;
      if (width === 0 || clientHeight === 0) return;
      const wished = kind in OPTIONS ? 0 : heightNeeded(spec, result, width);
      const needed = wished * SQUEEZE <= clientHeight ? 0 : wished;
      const height = Math.max(clientHeight, needed);
      this.canvas.style.height = needed > clientHeight ? `${needed}px` : "100%";
      // What scrolls must be reachable by keyboard.
      this.scroller.tabIndex = needed > clientHeight ? 0 : -1;
      this.size = this.sizeNow();
      if (!this.chart) this.chart = init(this.canvas, null, { renderer: "canvas", width, height });
      else if (this.chart.getWidth() !== width || this.chart.getHeight() !== height) {
        // Emptied first: drawing what was there in the new size would be for nothing.
        this.chart.clear();
        this.chart.resize({ width, height });
      }
      const look = { colors: theme.colors, series, font: FONT, width, height, scrolls: needed > clientHeight };
      this.chart.setOption((OPTIONS[kind] ?? cartesianOptions)(result, spec, look), { notMerge: true });
    };
    this.redraw();
  }

  sizeNow() {
    return `${this.scroller.clientWidth} ${this.scroller.clientHeight}`;
  }

  redrawIfResized() {
    if (this.size !== this.sizeNow()) this.redraw?.();
  }

  /**
   * @param {{name: string, mark: "bar" | "line" | "tick" | "point"}[]} series
   * @param {string[]} colors
   */
  drawLegend(series, colors) {
    this.legend.hidden = series.length === 0;
    this.legend.replaceChildren(
      ...series.map((one, place) =>
        h("li", {}, swatch(one.mark, colors[place], place), h("span", { dir: "auto" }, one.name)),
      ),
    );
  }

  dispose() {
    this.observer.disconnect();
    this.chart?.dispose();
  }
}

/**
 * Many bars one below the other need more height than the tile has: then it scrolls.
 *
 * @param {any} spec
 * @param {any} result
 * @param {number} width
 */
function heightNeeded(spec, result, width) {
  if (!spec.horizontal) return 0;
  const bars = spec.stacked ? 1 : Math.max(1, result.series.length);
  return (
    result.categories.length *
      (Math.max(uprightLabelHeight(result.categoryLabels, width), bars * HORIZONTAL_BAR) + HORIZONTAL_GAP) +
    AXIS_HEIGHT
  );
}

/**
 * @param {"bar" | "line" | "tick" | "point"} mark
 * @param {string} color
 * @param {number} place
 */
function swatch(mark, color, place) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 12");
  svg.setAttribute("aria-hidden", "true");
  const add = (/** @type {string} */ name, /** @type {Record<string, string>} */ attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    svg.append(element);
  };
  if (mark === "bar") {
    add("rect", { x: "5", y: "1", width: "14", height: "10", rx: "2", fill: color });
    return svg;
  }
  if (mark === "tick") {
    add("rect", { x: "3", y: "4", width: "18", height: "4", fill: color });
    return svg;
  }
  const dash = DASHES[place % DASHES.length];
  if (mark === "line") {
    add("line", {
      x1: "0",
      y1: "6",
      x2: "24",
      y2: "6",
      stroke: color,
      "stroke-width": "2",
      "stroke-dasharray": dash === "solid" ? "none" : dash.join(" "),
    });
  }
  const shapes = {
    circle: ["circle", { cx: "12", cy: "6", r: "4" }],
    diamond: ["path", { d: "M12 1l5 5-5 5-5-5z" }],
    triangle: ["path", { d: "M12 1.5l5 9h-10z" }],
    rect: ["rect", { x: "8", y: "2", width: "8", height: "8" }],
  };
  const [name, attributes] = /** @type {any} */ (shapes)[SYMBOLS[place % SYMBOLS.length]];
  add(name, { ...attributes, fill: color });
  return svg;
}
