/**
 * Marks of what differs: `⟦−words⟧` stand in the doctor's text alone, `⟦+words⟧` in the model's alone.
 *
 * @typedef {{kind: "same" | "missing" | "added", text: string}} Piece
 */
/** An emoji of a family has some ten characters. */
const LONGEST_LETTER = 40;
const MARK = /⟦([−+])([^⟦⟧]*)⟧/g;

/**
 * @param {string} text
 * @returns {Piece[]} what is not a whole mark stays as it is
 */
export function pieces(text) {
  /** @type {Piece[]} */
  const found = [];
  let end = 0;
  for (const match of text.matchAll(MARK)) {
    if (match.index > end) found.push({ kind: "same", text: text.slice(end, match.index) });
    found.push({ kind: match[1] === "−" ? "missing" : "added", text: match[2] });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ kind: "same", text: text.slice(end) });
  return found;
}

/**
 * The first `length` characters of pieces, never half a letter.
 *
 * @param {Piece[]} all
 * @param {number} length
 * @returns {Piece[]}
 */
export function shortened(all, length) {
  const kept = [];
  let left = length;
  for (const piece of all) {
    if (left <= 0) break;
    kept.push(piece.text.length > left ? { ...piece, text: cutWhole(piece.text, left) } : piece);
    left -= piece.text.length;
  }
  return kept;
}

/**
 * @param {string} text
 * @param {number} length
 */
function cutWhole(text, length) {
  const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  let end = 0;
  // From the beginning of the text: what is one letter may depend on what stands before it, as with flags.
  for (const { index, segment } of segmenter.segment(text.slice(0, length + LONGEST_LETTER))) {
    if (index + segment.length > length) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}
