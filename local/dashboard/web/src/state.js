/**
 * What the reader chose, kept in the address behind `#`, so that a view can be shared and Back works.
 *
 *     #sheet=reports&p.run=abc&f.tick-model=fine-tuned&r.range-score=0.2,0.8
 *
 * `p.` parameters (QuickSight's own links have these too), `f.` values ticked, `n.` a list with nothing ticked, `r.`
 * ranges. What is as the definition has it is not in the address.
 *
 * @typedef {import("./reading/filters.js").Choices} Choices
 * @typedef {Choices & {sheet: string}} View
 */

/**
 * @param {string} hash
 * @param {import("./reading/definition.js").Definition} definition
 * @returns {View}
 */
export function readHash(hash, definition) {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const defaults = Object.fromEntries(definition.parameters.map((parameter) => [parameter.name, parameter.value]));
  /** @type {View} */
  const view = { sheet: knownSheet(found.get("sheet"), definition), parameters: defaults, lists: {}, ranges: {} };
  for (const [key, value] of found) {
    const name = key.slice(2);
    if (key.startsWith("p.") && name in defaults) view.parameters[name] = value;
    if (key.startsWith("f.") && hasFilter(definition, name)) (view.lists[name] ??= []).push(value);
    if (key.startsWith("n.") && hasFilter(definition, name)) view.lists[name] = [];
    if (key.startsWith("r.") && hasFilter(definition, name)) {
      const [from, to] = value.split(",").map(Number);
      if (Number.isFinite(from) && Number.isFinite(to)) view.ranges[name] = [from, to];
    }
  }
  return view;
}

/**
 * @param {View} view
 * @param {import("./reading/definition.js").Definition} definition
 */
export function writeHash(view, definition) {
  const written = new URLSearchParams();
  if (view.sheet !== definition.sheets[0]?.id) written.set("sheet", view.sheet);
  for (const parameter of definition.parameters) {
    const value = view.parameters[parameter.name];
    if (value !== parameter.value) written.set(`p.${parameter.name}`, value);
  }
  for (const [id, values] of Object.entries(view.lists)) {
    if (values.length === 0) written.set(`n.${id}`, "");
    for (const value of values) written.append(`f.${id}`, value);
  }
  for (const [id, [from, to]] of Object.entries(view.ranges)) written.set(`r.${id}`, `${from},${to}`);
  const text = written.toString();
  return text ? `#${text}` : "#";
}

/**
 * @param {string | null} id
 * @param {import("./reading/definition.js").Definition} definition
 */
function knownSheet(id, definition) {
  return definition.sheets.find((sheet) => sheet.id === id)?.id ?? definition.sheets[0]?.id ?? "";
}

/**
 * @param {import("./reading/definition.js").Definition} definition
 * @param {string} id
 */
function hasFilter(definition, id) {
  return definition.filters.some((filter) => filter.id === id);
}
