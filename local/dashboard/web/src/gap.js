/**
 * What the page does not draw. A `Gap` is thrown by whatever reads the definition or computes from it, and is shown by
 * name in the place where the visual or the control would stand: never dropped, and never drawn with other numbers.
 */
export class Gap extends Error {}

/**
 * The names in `found` that are not among `known`, if they say anything at all.
 *
 * @param {Record<string, unknown> | undefined} found
 * @param {readonly string[]} known
 * @returns {string[]}
 */
export function unknownNames(found, known) {
  return Object.entries(found ?? {})
    .filter(([name, value]) => !known.includes(name) && !isEmpty(value))
    .map(([name]) => name);
}

/**
 * The single name of a union of QuickSight's API (`{KPIVisual: {...}}`) and what stands under it.
 *
 * @param {Record<string, any>} union
 * @returns {[string, any]}
 */
export function onlyMember(union) {
  const members = Object.entries(union).filter(([, value]) => value !== null && value !== undefined);
  if (members.length !== 1) {
    throw new Gap(`a part of the definition has ${members.length} kinds (${members.map(([name]) => name).join(", ")})`);
  }
  return members[0];
}

/** @param {unknown} value */
function isEmpty(value) {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}
