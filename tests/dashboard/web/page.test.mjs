import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers, NotInFile } from "../../../local/dashboard/web/src/answers.js";
import {
  DARK,
  LIGHT,
  PALETTE,
  channelsOf,
  contrast,
  seriesColors,
} from "../../../local/dashboard/web/src/drawing/colors.js";
import { pieces, shortened } from "../../../local/dashboard/web/src/marks.js";
import { readHash, writeHash } from "../../../local/dashboard/web/src/state.js";

const DEFINITION = {
  parameters: [
    { name: "run", value: "newest", mapped: [{ dataSet: "curve", parameter: "which" }] },
    { name: "task", value: "a", mapped: [] },
  ],
  filters: [{ id: "tick-model" }, { id: "range-score" }],
  sheets: [{ id: "one" }, { id: "two" }],
};

test("marks are taken apart, and what is no whole mark stays text", () => {
  assert.deepEqual(pieces("No ⟦−large⟧ ⟦+small⟧ nodule"), [
    { kind: "same", text: "No " },
    { kind: "missing", text: "large" },
    { kind: "same", text: " " },
    { kind: "added", text: "small" },
    { kind: "same", text: " nodule" },
  ]);
  for (const text of ["⟦−open", "⟦x⟧", "a ⟦-minus sign⟧", ""]) {
    assert.equal(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
      text,
    );
  }
});

test("a long text is cut between letters, marks and all", () => {
  const flags = "🇺🇦".repeat(600);
  const cut = shortened(pieces(flags), 901);
  assert.equal(cut[0].text.length % "🇺🇦".length, 0);
  assert.ok(cut[0].text.length <= 901 && cut[0].text.length > 890);
  const marked = shortened(pieces(`${"a".repeat(5)}⟦−${"b".repeat(50)}⟧`), 12);
  assert.deepEqual(
    marked.map((piece) => [piece.kind, piece.text.length]),
    [
      ["same", 5],
      ["missing", 7],
    ],
  );
});

test("the address holds what differs from the definition, and gives it back", () => {
  const view = {
    sheet: "two",
    parameters: { run: "a&b=ü#", task: "a" },
    lists: { "tick-model": ["x, y", ""] },
    ranges: { "range-score": [0.2, 0.8] },
  };
  const hash = writeHash(view, DEFINITION);
  assert.deepEqual(readHash(hash, DEFINITION), view);
  assert.ok(!hash.includes("task"));
  const none = { ...view, lists: { "tick-model": [] } };
  assert.deepEqual(readHash(writeHash(none, DEFINITION), DEFINITION), none);
});

test("an address of another dashboard changes nothing", () => {
  const view = readHash("#sheet=nowhere&p.nothing=1&f.gone=x&r.range-score=a,b", DEFINITION);
  assert.deepEqual(view, { sheet: "one", parameters: { run: "newest", task: "a" }, lists: {}, ranges: {} });
});

const CONTENTS = {
  data_sets: {
    curve: {
      columns: [{ name: "loss", type: "DECIMAL" }],
      parameters: [{ name: "which", default: "z" }],
      mode: "direct",
    },
  },
  answers: [],
  texts: [],
  columns: [],
  parts: { curve: [{ which: "newest" }] },
};

function part(which) {
  return {
    answers: [{ data_set: "curve", parameters: { which }, columns: ["loss"], values: [0], total_rows: 2 }],
    texts: [],
    columns: [[1, 2]],
  };
}

test("a file gives what it holds, and says what it does not", async () => {
  let reads = 0;
  const readPart = async () => (reads += 1) && part("newest");
  const answers = new Answers(CONTENTS, DEFINITION.parameters, { ask: null, readPart });
  assert.equal((await answers.table("curve", { run: "newest" })).length, 2);
  await assert.rejects(answers.table("curve", { run: "old" }), (error) => {
    assert.ok(error instanceof NotInFile);
    assert.match(error.message, /does not hold which “old”\. It holds which: “newest”/);
    return true;
  });
  assert.equal(answers.holds("run", "newest"), true);
  assert.equal(answers.holds("run", "old"), false);
  assert.equal(reads, 1);
});

test("the server is asked once for each choice, and again after a failure", async () => {
  const asked = [];
  let fails = true;
  const ask = async (url) => {
    asked.push(url);
    if (fails) throw new Error("down");
    return part("old");
  };
  const answers = new Answers({ ...CONTENTS, parts: {} }, DEFINITION.parameters, { ask, readPart: assert.fail });
  await assert.rejects(answers.table("curve", { run: "old" }), /down/);
  fails = false;
  await Promise.all([answers.table("curve", { run: "old" }), answers.table("curve", { run: "old" })]);
  assert.deepEqual(asked, Array(2).fill("answers?data_set=curve&parameter.which=old"));
  await assert.rejects(answers.table("curve", { run: "new" }), /other parameters than were asked for/);
});

test("text is readable on every ground, light and dark", () => {
  for (const colors of [LIGHT, DARK]) {
    const pairs = [
      [colors.text, colors.ground], [colors.text, colors.tile], [colors.muted, colors.ground],
      [colors.muted, colors.tile], [colors.accent, colors.tile], [colors.onAccent, colors.accent],
      [colors.notice, colors.noticeGround], [colors.missing, colors.missingGround], [colors.added, colors.addedGround],
    ]; // prettier-ignore
    for (const [ink, ground] of pairs)
      assert.ok(contrast(ink, ground) >= 4.5, `${ink} on ${ground}: ${contrast(ink, ground)}`);
  }
});

test("bars and lines stand out from the tile, light and dark, and keep apart from one another", () => {
  for (const ground of [LIGHT, DARK]) {
    const { tile } = ground;
    const colors = seriesColors(Array(6).fill({ color: null }), PALETTE, ground);
    for (const color of colors) assert.ok(contrast(color, tile) >= 3, `${color} on ${tile}`);
    assert.equal(new Set(colors).size, 6);
  }
  const given = (...series) => seriesColors(series, PALETTE, LIGHT);
  const none = { color: null };
  assert.deepEqual(given({ color: "#1F8ADB" }, none), ["#1f8adb", "#b06a00"], "taken ones are left out");
  const line = { color: null, isMeasure: true };
  assert.deepEqual(given(none, line, line), ["#1f8adb", LIGHT.text, LIGHT.muted], "a measure is no kind of bar");
  const tick = { color: "#1F2933", isMeasure: true, mark: "tick" };
  assert.deepEqual(seriesColors([tick], PALETTE, DARK), [DARK.text], "a tick lies over bars of every color");
  assert.ok(contrast(given({ color: "#ffff00" })[0], LIGHT.tile) >= 3, "a pale one is made darker");
});

// Viénot, Brettel and Mollon 1999 (red and green), Brettel's plane simplified for blue: linear RGB -> what is seen.
const BLINDNESS = {
  none: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
  deuteranopia: [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
  tritanopia: [[1.01277, 0.13548, -0.14826], [-0.01243, 0.86812, 0.14431], [0.07589, 0.805, 0.11911]],
}; // prettier-ignore

// What tests/dashboard/test_scripts.py hands over: the colours that the definition has for series of one chart.
const TOGETHER = JSON.parse(process.env.COLORS_TOGETHER ?? "[]");

test("series of one chart are told apart with every kind of colour blindness", () => {
  for (const colors of [PALETTE.slice(0, 4), ...TOGETHER]) {
    for (const ground of [LIGHT, DARK]) {
      const shown = seriesColors(
        colors.map((color) => ({ color })),
        PALETTE,
        ground,
      );
      for (const [name, matrix] of Object.entries(BLINDNESS)) {
        for (const [place, one] of shown.entries()) {
          for (const other of shown.slice(place + 1)) {
            const apart = distance(seen(one, matrix), seen(other, matrix));
            assert.ok(apart > 12, `${one} and ${other} with ${name}: ${apart.toFixed(1)}`);
          }
        }
      }
    }
  }
});

/** CIE76 between two linear RGB colours. */
function distance(one, other) {
  const [a, b] = [lab(one), lab(other)];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function seen(color, matrix) {
  const linear = channelsOf(color).map((c) =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
  );
  return matrix.map((row) =>
    Math.min(
      1,
      Math.max(
        0,
        row.reduce((sum, share, i) => sum + share * linear[i], 0),
      ),
    ),
  );
}

function lab([r, g, b]) {
  const x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047;
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883;
  const [fx, fy, fz] = [x, y, z].map((t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116));
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}
