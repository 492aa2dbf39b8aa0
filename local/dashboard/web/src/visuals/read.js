/** A visual of the definition: its kind, title, help and what is to be computed for it. */
import { Gap, onlyMember } from "../gap.js";
import { readBars, readCombo, readLines } from "./cartesianReading.js";
import { computeCartesian } from "./cartesian.js";
import { computeBoxes, readBoxes } from "./boxes.js";
import { computeKpi, readKpi } from "./kpi.js";
import { computePoints, readPoints } from "./points.js";
import { computeRows, readRows } from "./rows.js";

/**
 * What a kind of visual needs: `read` its configuration, and `compute` what is shown from a data set's rows.
 *
 * @typedef {{read: (configuration: any, notApplied: string[]) => any,
 *   compute: (spec: any, table: import("../engine/table.js").Table, rows: number[]) => any}} Kind
 * @type {Record<string, Kind>}
 */
export const KINDS = {
  KPIVisual: { read: readKpi, compute: computeKpi },
  BarChartVisual: { read: readBars, compute: computeCartesian },
  ComboChartVisual: { read: readCombo, compute: computeCartesian },
  LineChartVisual: { read: readLines, compute: computeCartesian },
  BoxPlotVisual: { read: readBoxes, compute: computeBoxes },
  ScatterPlotVisual: { read: readPoints, compute: computePoints },
  TableVisual: { read: readRows, compute: computeRows },
};

/**
 * @param {any} json QuickSight's `Visual`
 * @returns {import("../reading/definition.js").Visual}
 */
export function readVisual(json) {
  const [kind, visual] = onlyMember(json);
  /** @type {string[]} */
  const notApplied = [];
  const title = plainText(visual.Title, notApplied, "Title") || visual.VisualId;
  const help = plainText(visual.Subtitle, notApplied, "Subtitle");
  const common = { id: visual.VisualId, kind, title, help, label: visual.VisualContentAltText || `${title}. ${help}` };
  const nothing = { dataSet: null, spec: null, notApplied };
  if (!(kind in KINDS)) {
    return { ...common, ...nothing, gap: `This visual of kind ${kind} is not drawn here; it is in QuickSight` };
  }
  for (const name of ["Actions", "ColumnHierarchies", "ConditionalFormatting"]) {
    if (visual[name] && Object.keys(visual[name]).length) notApplied.push(name);
  }
  try {
    const spec = KINDS[kind].read(visual.ChartConfiguration ?? {}, notApplied);
    return { ...common, dataSet: spec.dataSet, spec, gap: null, notApplied };
  } catch (error) {
    if (!(error instanceof Gap)) throw error;
    return { ...common, ...nothing, gap: `This visual of kind ${kind} is not drawn here: ${error.message}` };
  }
}

/**
 * @param {any} options QuickSight's label options
 * @param {string[]} notApplied
 * @param {string} name
 */
function plainText(options, notApplied, name) {
  if (options?.Visibility === "HIDDEN") return "";
  const text = options?.FormatText;
  if (text?.RichText) notApplied.push(`${name} with rich text`);
  return text?.PlainText ?? "";
}
