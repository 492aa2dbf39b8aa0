/**
 * Orders. Nothing comes last in either direction, as Athena has it; texts go by their characters' numbers.
 *
 * @typedef {import("./table.js").Value} Value
 */

/**
 * @param {Value} one
 * @param {Value} other
 * @param {boolean} descending
 */
export function compare(one, other, descending) {
  if (one === other) return 0;
  if (one === null || one === undefined) return 1;
  if (other === null || other === undefined) return -1;
  const direction = one < other ? -1 : 1;
  return descending ? -direction : direction;
}

/**
 * Sort by several orders; equal ones keep their places.
 *
 * @template T
 * @param {T[]} items
 * @param {{of: (item: T) => Value, descending: boolean}[]} orders
 * @returns {T[]} a new array
 */
export function sortBy(items, orders) {
  return [...items].sort((one, other) => {
    for (const order of orders) {
      const outcome = compare(order.of(one), order.of(other), order.descending);
      if (outcome !== 0) return outcome;
    }
    return 0;
  });
}
