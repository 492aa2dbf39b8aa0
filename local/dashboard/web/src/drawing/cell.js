/** What stands in a cell: text as text, whatever it is; what differs is marked; very long texts open on demand. */
import { h, unseen } from "../dom.js";
import { write } from "../engine/formats.js";
import { pieces, shortened } from "../marks.js";

/** Characters that a narrow cell shows before it is opened. */
const SHOWN = 650;
/** So many a pixel of its column, in a wide one: as many lines, about, as the narrow one has. */
const SHOWN_A_PIXEL = 2;
/** A little longer than that is shown at once: a button would take as much room. */
const TOLERATED = 1.25;

/**
 * @param {import("../engine/table.js").Value} value
 * @param {import("../engine/formats.js").Format} format
 * @param {number} width of its column in the design, in pixels
 * @returns {Node[]}
 */
export function cellContents(value, format, width) {
  const text = write(value, format);
  if (value === null) return [h("span", { class: "nothing", title: "no value" }, text)];
  if (typeof value !== "string") return [document.createTextNode(text)];
  const all = pieces(text);
  const shown = Math.max(SHOWN, SHOWN_A_PIXEL * width);
  if (text.length <= TOLERATED * shown) return all.map(pieceElement);
  const contents = h("span", {});
  const button = h("button", { type: "button", class: "more", "aria-expanded": "false" });
  const show = (/** @type {boolean} */ whole) => {
    contents.replaceChildren(...(whole ? all : shortened(all, shown)).map(pieceElement), whole ? "" : " …");
    button.textContent = whole ? "Show less" : `Show all ${text.length.toLocaleString("en-US")} characters`;
    button.setAttribute("aria-expanded", String(whole));
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") === "false"));
  show(false);
  return [contents, button];
}

/**
 * Not by colour alone: what is missing is struck through behind a minus, what was added underlined behind a plus.
 *
 * @param {import("../marks.js").Piece} piece
 * @returns {Node}
 */
function pieceElement(piece) {
  if (piece.kind === "same") return document.createTextNode(piece.text);
  const isMissing = piece.kind === "missing";
  return h(
    isMissing ? "del" : "ins",
    {},
    unseen(isMissing ? "[missing: " : "[added: "),
    h("span", { class: "sign", "aria-hidden": "true" }, isMissing ? "−" : "+"),
    piece.text,
    unseen("]"),
  );
}
