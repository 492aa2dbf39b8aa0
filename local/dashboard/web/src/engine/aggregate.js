/**
 * Aggregations as SQL has them: nulls do not count, and of nothing but nulls COUNT is 0 and everything else null.
 *
 * @typedef {import("./table.js").Value} Value
 * @typedef {{name: string, percentile?: number}} Aggregation
 */
import { Gap } from "../gap.js";

/** @type {Record<string, (numbers: number[]) => number | null>} */
const OF_NUMBERS = {
  SUM: sum,
  AVERAGE: (numbers) => sum(numbers) / numbers.length,
  MIN: (numbers) => numbers.reduce((least, number) => Math.min(least, number)),
  MAX: (numbers) => numbers.reduce((most, number) => Math.max(most, number)),
  MEDIAN: (numbers) => quantile(sorted(numbers), 0.5),
  VAR: (numbers) => variance(numbers, 1),
  VARP: (numbers) => variance(numbers, 0),
  STDEV: (numbers) => root(variance(numbers, 1)),
  STDEVP: (numbers) => root(variance(numbers, 0)),
};

export const AGGREGATIONS = [...Object.keys(OF_NUMBERS), "COUNT", "DISTINCT_COUNT", "PERCENTILE"];

/**
 * @param {Value[]} values a whole column
 * @param {ArrayLike<number>} rows places of the rows that count
 * @param {Aggregation} aggregation
 * @returns {Value}
 * @throws {Gap} an aggregation that is not known
 */
export function aggregate(values, rows, aggregation) {
  const present = [];
  for (let place = 0; place < rows.length; place += 1) {
    const value = values[rows[place]];
    if (value !== null && value !== undefined) present.push(value);
  }
  if (aggregation.name === "COUNT") return present.length;
  if (aggregation.name === "DISTINCT_COUNT") return new Set(present).size;
  if (present.length === 0) return null;
  const numbers = /** @type {number[]} */ (present);
  if (aggregation.name === "PERCENTILE") return quantile(sorted(numbers), Number(aggregation.percentile) / 100);
  const calculate = OF_NUMBERS[aggregation.name];
  if (!calculate) throw new Gap(`the aggregation ${aggregation.name} is not calculated here`);
  return calculate(numbers);
}

/**
 * A quantile by linear interpolation between the two nearest values (SQL's PERCENTILE_CONT).
 *
 * @param {ArrayLike<number>} ascending at least one number
 * @param {number} share in [0, 1]
 */
export function quantile(ascending, share) {
  const place = (ascending.length - 1) * share;
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return ascending[below] + (ascending[above] - ascending[below]) * (place - below);
}

/** @param {number[]} numbers */
export function sorted(numbers) {
  return Float64Array.from(numbers).sort();
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * @param {number[]} numbers
 * @param {0 | 1} lost degrees of freedom lost: 1 for a sample
 */
function variance(numbers, lost) {
  if (numbers.length <= lost) return null;
  const mean = sum(numbers) / numbers.length;
  return sum(numbers.map((number) => (number - mean) ** 2)) / (numbers.length - lost);
}

/** @param {number | null} number */
function root(number) {
  return number === null ? null : Math.sqrt(number);
}
