/** Times, in UTC: cut to a granularity, and written by QuickSight's patterns. */
import { Gap } from "../gap.js";

const MINUTE = 60_000;
const MONTHS = "January February March April May June July August September October November December".split(" ");

/** @type {Record<string, (time: Date) => number>} */
const CUT = {
  YEAR: (time) => Date.UTC(time.getUTCFullYear(), 0),
  QUARTER: (time) => Date.UTC(time.getUTCFullYear(), Math.floor(time.getUTCMonth() / 3) * 3),
  MONTH: (time) => Date.UTC(time.getUTCFullYear(), time.getUTCMonth()),
  // QuickSight's weeks begin on Sunday.
  WEEK: (time) => Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate() - time.getUTCDay()),
  DAY: (time) => Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()),
  HOUR: (time) => Math.floor(time.getTime() / (60 * MINUTE)) * 60 * MINUTE,
  MINUTE: (time) => Math.floor(time.getTime() / MINUTE) * MINUTE,
  SECOND: (time) => Math.floor(time.getTime() / 1000) * 1000,
  MILLISECOND: (time) => time.getTime(),
};

/** @type {Record<string, string>} */
const PATTERNS = {
  YEAR: "YYYY",
  QUARTER: "YYYY-MM",
  MONTH: "YYYY-MM",
  WEEK: "YYYY-MM-DD",
  DAY: "YYYY-MM-DD",
  HOUR: "YYYY-MM-DD HH:mm",
  MINUTE: "YYYY-MM-DD HH:mm",
  SECOND: "YYYY-MM-DD HH:mm:ss",
  MILLISECOND: "YYYY-MM-DD HH:mm:ss.SSS",
};

/** @type {Record<string, (time: Date) => string>} */
const TOKENS = {
  YYYY: (time) => pad(time.getUTCFullYear(), 4),
  YY: (time) => pad(time.getUTCFullYear() % 100, 2),
  MMMM: (time) => MONTHS[time.getUTCMonth()],
  MMM: (time) => MONTHS[time.getUTCMonth()].slice(0, 3),
  MM: (time) => pad(time.getUTCMonth() + 1, 2),
  M: (time) => String(time.getUTCMonth() + 1),
  DD: (time) => pad(time.getUTCDate(), 2),
  D: (time) => String(time.getUTCDate()),
  HH: (time) => pad(time.getUTCHours(), 2),
  H: (time) => String(time.getUTCHours()),
  hh: (time) => pad(time.getUTCHours() % 12 || 12, 2),
  h: (time) => String(time.getUTCHours() % 12 || 12),
  mm: (time) => pad(time.getUTCMinutes(), 2),
  m: (time) => String(time.getUTCMinutes()),
  SSS: (time) => pad(time.getUTCMilliseconds(), 3),
  ss: (time) => pad(time.getUTCSeconds(), 2),
  s: (time) => String(time.getUTCSeconds()),
  A: (time) => (time.getUTCHours() < 12 ? "AM" : "PM"),
  a: (time) => (time.getUTCHours() < 12 ? "am" : "pm"),
};

/**
 * The beginning of the year, day, minute ... that a time is in.
 *
 * @param {number} milliseconds
 * @param {string} granularity
 */
export function cutTime(milliseconds, granularity) {
  const cut = CUT[granularity];
  if (!cut) throw new Gap(`the date granularity ${granularity} is not known here`);
  return cut(new Date(milliseconds));
}

/**
 * @param {number} milliseconds
 * @param {string} pattern of QuickSight, such as `YYYY-MM-DD HH:mm`
 * @throws {Gap} a letter of the pattern is not known
 */
export function formatTime(milliseconds, pattern) {
  const time = new Date(milliseconds);
  return pattern.replace(/\[([^\]]*)\]|([A-Za-z])\2*/g, (token, literal) => {
    if (literal !== undefined) return literal;
    // ISO 8601's letter between date and time.
    if (token === "T" || token === "Z") return token;
    const write = TOKENS[token];
    if (!write) throw new Gap(`the date pattern ${pattern} has a part that is not known here: ${token}`);
    return write(time);
  });
}

/** @param {string} granularity */
export function patternOf(granularity) {
  const pattern = PATTERNS[granularity];
  if (!pattern) throw new Gap(`the date granularity ${granularity} is not known here`);
  return pattern;
}

/**
 * @param {number} number
 * @param {number} digits
 */
function pad(number, digits) {
  return String(number).padStart(digits, "0");
}
