/**
 * The page's colours, light and dark, and how the definition's colours are kept apart from the ground behind them.
 * Contrast is that of WCAG 2: 4.5 for text, 3 for bars and lines.
 *
 * @typedef {{ground: string, tile: string, text: string, muted: string, line: string, grid: string, accent: string,
 *   onAccent: string, missing: string, missingGround: string, added: string, addedGround: string, notice: string,
 *   noticeGround: string}} Colors
 */

/** @type {Colors} */
export const LIGHT = {
  ground: "#f4f6f8",
  tile: "#ffffff",
  text: "#1b2430",
  muted: "#566270",
  line: "#d5dbe2",
  grid: "#e6eaee",
  accent: "#0b5a9c",
  onAccent: "#ffffff",
  missing: "#8f3300",
  missingGround: "#fdece2",
  added: "#00527f",
  addedGround: "#e0f0fa",
  notice: "#6a4300",
  noticeGround: "#fff4dc",
};

/** @type {Colors} */
export const DARK = {
  ground: "#0e1319",
  tile: "#161c24",
  text: "#e4e9ef",
  muted: "#a3adb9",
  line: "#333d49",
  grid: "#27303a",
  accent: "#7cbcf0",
  onAccent: "#0e1319",
  missing: "#ffb38a",
  missingGround: "#43230f",
  added: "#9bd3f7",
  addedGround: "#12344a",
  notice: "#f3cd84",
  noticeGround: "#3a2c10",
};

/** For series that neither the definition nor the theme colors; those that are drawn together keep apart for everybody. */
export const PALETTE = ["#1F8ADB", "#B06A00", "#00784A", "#8A8A8A", "#A0459B", "#BF3D12"];

const LEAST_CONTRAST = 3;
const DARK_GROUND = 0.2;

/**
 * @param {string} one
 * @param {string} other
 * @returns {number} from 1 (the same) to 21
 */
export function contrast(one, other) {
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

/**
 * A color, moved towards white or black until it stands out from the ground.
 *
 * @param {string} color
 * @param {string} ground
 */
export function standingOut(color, ground) {
  const towards = luminance(ground) < DARK_GROUND ? 255 : 0;
  let channels = channelsOf(color);
  for (let step = 0; step < 40 && contrast(hex(channels), ground) < LEAST_CONTRAST; step += 1) {
    channels = channels.map((channel) => channel + (towards - channel) * 0.08);
  }
  return hex(channels);
}

/**
 * A color for each series: the definition's, else the first of the palette that no other series has. Lines that bars are
 * measured by have the colors of text, where the definition gives them none: one of the palette would make them look
 * like one of the bars' kinds. Ticks have the color of text always: they lie over bars of every color, on either ground.
 *
 * @param {{color: string | null, isMeasure?: boolean, mark?: string}[]} series
 * @param {string[]} palette
 * @param {Colors} colors
 * @returns {string[]}
 */
export function seriesColors(series, palette, colors) {
  const taken = new Set(series.map(({ color }) => color?.toLowerCase()));
  const free = palette.filter((color) => !taken.has(color.toLowerCase()));
  const ofText = [colors.text, colors.muted];
  const next = { palette: 0, text: 0 };
  return series.map(({ color, isMeasure, mark }) => {
    if (mark === "tick") return colors.text;
    if (color === null && isMeasure) return ofText[next.text++ % ofText.length];
    const rest = free.length ? free : palette;
    return standingOut(color ?? rest[next.palette++ % rest.length], colors.tile);
  });
}

/**
 * The palette of a QuickSight theme, or the page's own.
 *
 * @param {any} theme QuickSight's `ThemeConfiguration`
 * @returns {string[]}
 */
export function paletteOf(theme) {
  const colors = theme?.DataColorPalette?.Colors ?? [];
  return colors.length ? colors : PALETTE;
}

/** @param {string} color */
export function luminance(color) {
  const [red, green, blue] = channelsOf(color).map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} color `#rrggbb` */
export function channelsOf(color) {
  return [1, 3, 5].map((place) => Number.parseInt(color.slice(place, place + 2), 16));
}

/** @param {number[]} channels */
function hex(channels) {
  return `#${channels.map((channel) => Math.round(channel).toString(16).padStart(2, "0")).join("")}`;
}
