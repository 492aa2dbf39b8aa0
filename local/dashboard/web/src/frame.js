/** What stands around a sheet: head, tabs, controls, and where all of it comes from. */
import { h } from "./dom.js";
import { DARK, LIGHT } from "./drawing/colors.js";

const THEMES = ["as the system", "light", "dark"];
const STORED = "report-tuning-theme";

export class Frame {
  /**
   * @param {{isFile: boolean, onSheet: (id: string) => void, onTheme: () => void}} options
   */
  constructor({ isFile, onSheet, onTheme }) {
    this.isFile = isFile;
    this.onSheet = onSheet;
    this.onTheme = onTheme;
    this.title = h("h1", {});
    this.origin = h("p", { class: "origin" });
    this.dashboards = h("nav", { class: "dashboards", "aria-label": "Dashboards" });
    this.refreshButton = h("button", { type: "button" }, "Refresh");
    this.themeChoice = h(
      "select",
      { "aria-label": "Colours", onchange: () => this.chooseTheme(this.themeChoice.value) },
      ...THEMES.map((theme) => h("option", { value: theme }, theme)),
    );
    this.tabs = h("div", {
      role: "tablist",
      "aria-label": "Sheets",
      class: "tabs",
      onkeydown: (/** @type {any} */ event) => this.walk(event),
    });
    this.description = h("p", { class: "description" });
    this.controls = h("div", { class: "controls", role: "group", "aria-label": "Filters" });
    this.grid = h("div", { class: "grid" });
    this.panel = h(
      "div",
      { role: "tabpanel", id: "sheet", tabindex: "-1" },
      this.controls,
      this.description,
      this.grid,
    );
    this.notices = h("ul", { class: "notices" });
    this.footer = h("footer", {});
    this.voice = h("div", { class: "unseen", "aria-live": "polite" });
    this.system = matchMedia("(prefers-color-scheme: dark)");
    this.system.addEventListener("change", () => this.applyTheme());
    document.body.replaceChildren(
      h(
        "a",
        { class: "skip", href: "#sheet", onclick: (/** @type {any} */ event) => this.skip(event) },
        "Skip to the sheet",
      ),
      h(
        "header",
        { class: "page-head" },
        h("div", {}, this.title, this.origin),
        this.dashboards,
        h(
          "div",
          { class: "page-tools" },
          h("div", { class: "labelled" }, h("span", { "aria-hidden": "true" }, "Colours"), this.themeChoice),
          isFile ? null : this.refreshButton,
        ),
      ),
      h("main", {}, this.tabs, this.notices, this.panel),
      this.footer,
      this.voice,
    );
    this.themeChoice.value = storedTheme();
    this.applyTheme();
  }

  /**
   * @param {import("./reading/document.js").DashboardDocument} contents
   * @param {import("./reading/definition.js").Definition} definition
   */
  show(contents, definition) {
    document.title = contents.title;
    this.title.textContent = contents.title;
    this.showDashboards(contents.dashboards);
    this.tabs.replaceChildren(
      ...definition.sheets.map((sheet) =>
        h(
          "button",
          {
            role: "tab",
            type: "button",
            id: `tab-${sheet.id}`,
            "aria-controls": "sheet",
            onclick: () => this.onSheet(sheet.id),
          },
          sheet.title,
        ),
      ),
    );
    this.showOrigin(contents, definition);
  }

  /**
   * Where the rows are from and of when, and what must be said about all of them.
   *
   * @param {import("./reading/document.js").DashboardDocument} contents
   * @param {import("./reading/definition.js").Definition} definition
   */
  showOrigin(contents, definition) {
    const asks = this.isFile ? ". This page is a file: it holds what was exported and asks nobody." : "";
    this.origin.textContent = `${contents.provenance.summary ?? ""}${asks}`;
    this.footer.replaceChildren(
      ...Object.entries(contents.provenance)
        .filter(([name]) => name !== "summary" && name !== "revision")
        .map(([name, value]) => h("p", {}, h("b", {}, `${name}: `), value)),
      h("p", {}, "Times are UTC."),
    );
    const texts = definition.notApplied.map(
      (name) => `The dashboard's ${name} are not applied here; they are in QuickSight.`,
    );
    if (this.isFile) texts.push(...fileNotices(contents));
    this.notices.replaceChildren(...texts.map((text) => h("li", {}, text)));
  }

  /** The way to the server's other dashboards.
   * @param {{title: string, path: string}[]} dashboards
   */
  showDashboards(dashboards) {
    this.dashboards.hidden = dashboards.length < 2;
    this.dashboards.replaceChildren(
      ...dashboards.map(({ title, path }) =>
        h("a", { href: path, "aria-current": path === location.pathname ? "page" : null }, title),
      ),
    );
  }

  /**
   * @param {import("./reading/definition.js").Sheet} sheet
   * @param {{element: HTMLElement}[]} controls
   * @param {{element: HTMLElement}[]} tiles
   */
  showSheet(sheet, controls, tiles) {
    for (const tab of this.tabs.children) {
      const isShown = tab.id === `tab-${sheet.id}`;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      if (isShown) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    this.panel.setAttribute("aria-labelledby", `tab-${sheet.id}`);
    this.description.textContent = sheet.description;
    this.controls.replaceChildren(...controls.map((control) => control.element));
    this.controls.hidden = controls.length === 0;
    this.grid.replaceChildren(...tiles.map((tile) => tile.element));
  }

  /** Say something to who cannot see it, without taking their place away.
   * @param {string} text
   */
  announce(text) {
    this.voice.textContent = text;
  }

  get isDark() {
    const chosen = this.themeChoice.value;
    return chosen === "dark" || (chosen === THEMES[0] && this.system.matches);
  }

  /** @param {string} theme */
  chooseTheme(theme) {
    try {
      localStorage.setItem(STORED, theme);
    } catch (error) {
      // A browser may keep nothing for files: then the choice holds until the page is closed.
      if (!(error instanceof DOMException)) throw error;
    }
    this.applyTheme();
  }

  applyTheme() {
    const root = document.documentElement;
    for (const [name, color] of Object.entries(this.isDark ? DARK : LIGHT)) root.style.setProperty(`--${name}`, color);
    root.style.colorScheme = this.isDark ? "dark" : "light";
    this.onTheme();
  }

  /**
   * The keys of ARIA's tabs.
   *
   * @param {KeyboardEvent} event
   */
  walk(event) {
    const tabs = /** @type {HTMLElement[]} */ ([...this.tabs.children]);
    const place = tabs.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined || place < 0) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    tab.focus();
    tab.click();
  }

  /** The address behind # belongs to the view.
   * @param {Event} event
   */
  skip(event) {
    event.preventDefault();
    this.panel.focus();
  }
}

/** @param {import("./reading/document.js").DashboardDocument} contents */
function fileNotices(contents) {
  const left = contents.left_out.map(
    (one) => `${one.combinations.toLocaleString("en-US")} of “${contents.data_sets[one.data_set].title}”`,
  );
  if (!left.length) return [];
  return [
    `To stay small this file leaves out the answers to some choices (${left.join(", ")}); where one is missing, that is said in its place.`,
  ];
}

function storedTheme() {
  try {
    const stored = localStorage.getItem(STORED) ?? "";
    return THEMES.includes(stored) ? stored : THEMES[0];
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return THEMES[0];
  }
}
