/**
 * Numbers, times and texts as the definition says they are written.
 *
 * @typedef {import("./table.js").Value} Value
 * @typedef {{kind: "number", percent: boolean, decimals: number | null, prefix: string, suffix: string, scale: string,
 *   thousands: boolean, parentheses: boolean, nothing: string | null}} NumberFormat
 * @typedef {{kind: "time", pattern: string, nothing: string | null}} TimeFormat
 * @typedef {{kind: "text", nothing: string | null}} TextFormat
 * @typedef {NumberFormat | TimeFormat | TextFormat} Format
 */
import { Gap, onlyMember, unknownNames } from "../gap.js";
import { formatTime } from "./dates.js";

/** What stands for no value, where the definition names nothing else. */
export const NOTHING = "–";
const SCALES = { NONE: 1, THOUSANDS: 1e3, MILLIONS: 1e6, BILLIONS: 1e9, TRILLIONS: 1e12 };
const LETTERS = { NONE: "", THOUSANDS: "K", MILLIONS: "M", BILLIONS: "B", TRILLIONS: "T" };
const SYMBOLS = { USD: "$", EUR: "€", GBP: "£", JPY: "¥" };
const KNOWN = [
  "Prefix",
  "Suffix",
  "DecimalPlacesConfiguration",
  "NegativeValueConfiguration",
  "NullValueFormatConfiguration",
  "SeparatorConfiguration",
  "NumberScale",
  "Symbol",
];

/** @type {NumberFormat} */
export const PLAIN_NUMBER = {
  kind: "number",
  percent: false,
  decimals: null,
  prefix: "",
  suffix: "",
  scale: "NONE",
  thousands: true,
  parentheses: false,
  nothing: null,
};

/**
 * @param {Record<string, any> | undefined} format QuickSight's `NumericFormatConfiguration`
 * @returns {NumberFormat}
 */
export function readNumberFormat(format) {
  if (!format) return PLAIN_NUMBER;
  const [kind, settings] = onlyMember(format);
  const unknown = unknownNames(settings, KNOWN);
  if (unknown.length) throw new Gap(`a number format has what is not known here: ${unknown.join(", ")}`);
  const scale = settings.NumberScale ?? "NONE";
  if (!(scale in SCALES) && scale !== "AUTO") throw new Gap(`the number scale ${scale} is not known here`);
  return {
    kind: "number",
    percent: kind === "PercentageDisplayFormatConfiguration",
    decimals: settings.DecimalPlacesConfiguration?.DecimalPlaces ?? null,
    prefix: (settings.Prefix ?? "") + (kind === "CurrencyDisplayFormatConfiguration" ? currency(settings.Symbol) : ""),
    suffix: settings.Suffix ?? "",
    scale,
    thousands: (settings.SeparatorConfiguration?.ThousandsSeparator?.Visibility ?? "VISIBLE") === "VISIBLE",
    parentheses: settings.NegativeValueConfiguration?.DisplayMode === "POSITIVE",
    nothing: settings.NullValueFormatConfiguration?.NullString ?? null,
  };
}

/**
 * @param {Value} value
 * @param {Format} format
 * @returns {string}
 */
export function write(value, format) {
  if (value === null || value === undefined) return format.nothing ?? NOTHING;
  if (format.kind === "time") return formatTime(Number(value), format.pattern);
  if (format.kind === "number" && typeof value === "number") return writeNumber(value, format);
  return String(value);
}

/**
 * @param {number} number
 * @param {NumberFormat} format
 */
export function writeNumber(number, format) {
  if (!Number.isFinite(number)) return String(number);
  const scale = format.scale === "AUTO" ? autoScale(number) : format.scale;
  const shown = (format.percent ? number * 100 : number) / SCALES[/** @type {"NONE"} */ (scale)];
  const digits = writerOf(format).format(Math.abs(shown));
  const negative = shown < 0 && /[1-9]/.test(digits);
  const written = `${format.prefix}${digits}${LETTERS[/** @type {"NONE"} */ (scale)]}${format.percent ? "%" : ""}${format.suffix}`;
  if (!negative) return written;
  return format.parentheses ? `(${written})` : `−${written}`;
}

/**
 * Making one takes a hundred times as long as using it.
 *
 * @type {Map<string, Intl.NumberFormat>}
 */
const writers = new Map();

/** @param {NumberFormat} format */
function writerOf({ thousands, decimals }) {
  const key = `${thousands} ${decimals}`;
  let writer = writers.get(key);
  if (!writer) {
    const digits = { minimumFractionDigits: decimals ?? 0, maximumFractionDigits: decimals ?? 4 };
    writer = new Intl.NumberFormat("en-US", { useGrouping: thousands, ...digits });
    writers.set(key, writer);
  }
  return writer;
}

/** @param {number} number */
function autoScale(number) {
  const size = Math.abs(number);
  return (
    ["TRILLIONS", "BILLIONS", "MILLIONS", "THOUSANDS"].find((name) => size >= SCALES[/** @type {"NONE"} */ (name)]) ??
    "NONE"
  );
}

/** @param {string | undefined} code */
function currency(code) {
  return SYMBOLS[/** @type {"USD"} */ (code ?? "USD")] ?? `${code} `;
}
