/** A sheet's controls: choices, texts, lists to tick and ranges. */
import { h } from "../dom.js";
import { ChoiceControl } from "./choice.js";
import { RangeControl } from "./range.js";
import { TextControl } from "./text.js";
import { TicksControl } from "./ticks.js";

/**
 * What a control may ask of the page.
 *
 * @typedef {{choose: (parameter: string, value: string) => void, tick: (filterId: string, values: string[] | null) => void,
 *   setRange: (filterId: string, range: [number, number] | null, isFinal: boolean) => void,
 *   optionsOf: (control: any, view: import("../state.js").View) => Promise<string[]>,
 *   holds: (parameter: string, value: string) => boolean, isFile: boolean}} Page
 * @typedef {{element: HTMLElement, show: (view: import("../state.js").View) => Promise<void> | void}} ControlView
 */

/**
 * @param {import("../reading/controls.js").Control} control
 * @param {Page} page
 * @returns {ControlView}
 */
export function controlView(control, page) {
  switch (control.kind) {
    case "choice":
      return new ChoiceControl(control, page);
    case "text":
      return new TextControl(control, page);
    case "ticks":
      return new TicksControl(control, page);
    case "range":
      return new RangeControl(control, page);
    case "gap": {
      const text = `${control.reason}; it is in QuickSight.`;
      return {
        element: h("div", { class: "control gap", role: "note" }, h("span", {}, control.title), h("span", {}, text)),
        show() {},
      };
    }
  }
}
