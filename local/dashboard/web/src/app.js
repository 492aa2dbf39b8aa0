/** The page: reads the document, shows a sheet for the reader's choices, and keeps both in step. */
import { Answers } from "./answers.js";
import { compute } from "./compute.js";
import { controlView } from "./controls/controls.js";
import { nextFrame } from "./dom.js";
import { DARK, LIGHT, paletteOf } from "./drawing/colors.js";
import { TileView } from "./drawing/tile.js";
import { plainNumbers } from "./numbers.js";
import { sortBy } from "./engine/sort.js";
import { readDefinition } from "./reading/definition.js";
import { Reviews } from "./reviews.js";
import { readHash, writeHash } from "./state.js";
import { Frame } from "./frame.js";

export class App {
  /**
   * @param {import("./reading/document.js").DashboardDocument} contents
   * @param {import("./answers.js").Source} source
   */
  constructor(contents, source) {
    this.source = source;
    /** @type {TileView[]} */
    this.tiles = [];
    /** @type {import("./controls/controls.js").ControlView[]} */
    this.controls = [];
    this.frame = new Frame({
      isFile: source.ask === null,
      onSheet: (id) => this.change({ sheet: id }),
      onTheme: () => this.redraw(),
    });
    this.reviews = new Reviews({
      chosenTask: () => this.view.parameters.task,
      announce: (text) => this.frame.announce(text),
    });
    this.turn = 0;
    this.settled = Promise.resolve();
    this.load(contents);
    addEventListener("hashchange", () => this.follow());
    addEventListener("popstate", () => this.follow());
  }

  /** @param {import("./reading/document.js").DashboardDocument} contents */
  load(contents) {
    const isSame = JSON.stringify(contents.definition) === JSON.stringify(this.contents?.definition);
    this.contents = contents;
    this.reviews.offer(contents.reviews);
    if (isSame) {
      // New rows of the same dashboard: the reader keeps their place, and what they are typing.
      this.answers = new Answers(contents, this.definition.parameters, this.source);
      this.frame.showOrigin(contents, this.definition);
      this.settled = this.refresh(true);
      return;
    }
    this.definition = readDefinition(contents.definition);
    this.answers = new Answers(contents, this.definition.parameters, this.source);
    this.view = readHash(location.hash, this.definition);
    this.palette = paletteOf(contents.theme);
    this.frame.show(contents, this.definition);
    this.sheetShown = null;
    this.showSheet();
  }

  get sheet() {
    return /** @type {import("./reading/definition.js").Sheet} */ (
      this.definition.sheets.find((sheet) => sheet.id === this.view.sheet)
    );
  }

  get theme() {
    return { colors: this.frame.isDark ? DARK : LIGHT, palette: this.palette };
  }

  /**
   * @param {Partial<import("./state.js").View>} changes
   * @param {boolean} [isFinal] false while a slider is still being moved: Back need not stop there
   */
  change(changes, isFinal = true) {
    this.view = { ...this.view, ...changes };
    const hash = writeHash(this.view, this.definition);
    if (isFinal) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
    this.showSheet();
  }

  /** The address has changed: Back, Forward, or by hand. */
  follow() {
    this.view = readHash(location.hash, this.definition);
    this.showSheet();
  }

  showSheet() {
    if (this.sheetShown !== this.view.sheet) {
      for (const tile of this.tiles) tile.dispose();
      this.tiles = this.sheet.tiles.map((tile) => new TileView(tile, () => this.showSheet(), this.reviews));
      this.controls = this.sheet.controls.map((control) => controlView(control, this.controlPage()));
      this.frame.showSheet(this.sheet, this.controls, this.tiles);
      this.sheetShown = this.view.sheet;
    }
    this.settled = this.refresh();
  }

  /**
   * Compute and draw all that is on the sheet; a newer choice makes an older one's work void.
   *
   * @param {boolean} [isAgain] the same choices, of newer rows
   */
  async refresh(isAgain = false) {
    const turn = ++this.turn;
    const { view, sheet } = this;
    const started = performance.now();
    document.documentElement.dataset.state = "working";
    await Promise.all(this.controls.map((control) => control.show(view)));
    const kept = new Map();
    await Promise.all(this.tiles.map((tile) => this.drawTile(tile, sheet.id, view, turn, kept, isAgain)));
    if (turn !== this.turn) return;
    this.milliseconds = performance.now() - started;
    if (!performance.getEntriesByName("first-sheet").length) performance.mark("first-sheet");
    document.documentElement.dataset.state = "ready";
  }

  /**
   * @param {TileView} tile
   * @param {string} sheetId
   * @param {import("./state.js").View} view
   * @param {number} turn
   * @param {import("./compute.js").Kept} kept
   * @param {boolean} isAgain
   */
  async drawTile(tile, sheetId, view, turn, kept, isAgain) {
    tile.setBusy(true);
    try {
      const outcome = await compute(this.definition, this.answers, sheetId, tile.visual, view, kept);
      if (turn !== this.turn) return;
      tile.draw(outcome, this.theme, isAgain);
      if (!performance.getEntriesByName("first-visual").length) performance.mark("first-visual");
    } catch (error) {
      if (turn !== this.turn) return;
      tile.fail(error);
    }
    tile.setBusy(false);
  }

  redraw() {
    for (const tile of this.tiles) if (tile.outcome) tile.draw(tile.outcome, this.theme);
  }

  /** @returns {import("./controls/controls.js").Page} */
  controlPage() {
    return {
      isFile: this.source.ask === null,
      choose: (parameter, value) => void this.choose(parameter, value),
      tick: (id, values) => this.change({ lists: without(this.view.lists, id, values) }),
      setRange: (id, range, isFinal) => this.change({ ranges: without(this.view.ranges, id, range) }, isFinal),
      optionsOf: (control, view) => this.optionsOf(control, view),
      holds: (parameter, value) => this.answers.holds(parameter, value),
    };
  }

  /**
   * @param {string} parameter
   * @param {string} value
   */
  async choose(parameter, value) {
    if (this.view.parameters[parameter] === value) return;
    const parameters = { ...this.view.parameters, [parameter]: value };
    for (const control of this.sheet.controls) {
      if (control.kind !== "choice" || !this.isNarrowedBy(control, parameter)) continue;
      // What was chosen among one task's runs is none of another's.
      const options = await this.optionsOf(control, { ...this.view, parameters });
      const declared = this.definition.parameters.find((one) => one.name === control.parameter);
      if (declared && !options.includes(parameters[control.parameter])) parameters[control.parameter] = declared.value;
    }
    this.change({ parameters });
  }

  /**
   * @param {any} control
   * @param {string} parameter
   */
  isNarrowedBy(control, parameter) {
    return control.narrowedBy.some((/** @type {any} */ narrowing) => this.sourceParameter(narrowing) === parameter);
  }

  /** @param {import("./reading/controls.js").Narrowing} narrowing */
  sourceParameter(narrowing) {
    const source = this.sheet.controls.find((one) => one.id === narrowing.sourceControl);
    return source && "parameter" in source ? source.parameter : null;
  }

  /**
   * The values that a control offers: those of the definition, or those of a column.
   *
   * @param {any} control
   * @param {import("./state.js").View} view
   * @returns {Promise<string[]>}
   */
  async optionsOf(control, view) {
    if (control.values) return control.values;
    if (!control.linked) return [];
    const table = await this.answers.table(control.linked.dataSet, view.parameters);
    let rows = table.allRows();
    for (const narrowing of control.narrowedBy ?? []) {
      const parameter = this.sourceParameter(narrowing);
      if (parameter === null) continue;
      const { values } = table.column(narrowing.column.column);
      rows = rows.filter((row) => values[row] === view.parameters[parameter]);
    }
    const { values } = table.column(control.linked.column);
    const distinct = [...new Set(rows.map((row) => values[row]).filter((value) => value !== null))];
    return sortBy(distinct, [{ of: (value) => value, descending: false }]).map(String);
  }

  /**
   * What every visual of every sheet shows for the present choices, as plain numbers.
   *
   * @returns {Promise<Record<string, any>>}
   */
  async numbers() {
    /** @type {Record<string, any>} */
    const found = {};
    for (const sheet of this.definition.sheets) {
      for (const { visual } of sheet.tiles) {
        try {
          const { result } = await compute(this.definition, this.answers, sheet.id, visual, this.view);
          found[visual.id] = { kind: visual.kind, ...plainNumbers(visual.kind, result) };
        } catch (error) {
          found[visual.id] = { kind: visual.kind, gap: error instanceof Error ? error.message : String(error) };
        }
        await nextFrame();
      }
    }
    return found;
  }
}

/**
 * @template T
 * @param {Record<string, T>} record
 * @param {string} key
 * @param {T | null} value null takes the key away
 */
function without(record, key, value) {
  const { [key]: _, ...rest } = record;
  return value === null ? rest : { ...rest, [key]: value };
}
