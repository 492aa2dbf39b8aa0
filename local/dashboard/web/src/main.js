/** Where the page begins: from what is in the file, or from the server that sent it. */
import { App } from "./app.js";
import { askServer } from "./answers.js";
import { h } from "./dom.js";
import { checked, unpack } from "./reading/document.js";

const LOOK_MILLISECONDS = 5000;

async function start() {
  const packed = packedParts();
  const readPart = async (/** @type {string} */ dataSet) => take(packed, `answers-${dataSet}`);
  try {
    if (packed.has("document")) open(new App(checked(await take(packed, "document")), { ask: null, readPart }));
    else serve(open(new App(checked(await askServer("document")), { ask: askServer, readPart })));
  } catch (error) {
    document.body.replaceChildren(
      h(
        "main",
        { class: "broken", role: "alert" },
        h("h1", {}, "The dashboard cannot be shown"),
        h("p", {}, error instanceof Error ? error.message : String(error)),
      ),
    );
    throw error;
  }
}

/** What a file holds, packed: the document, and the answers of each direct data set. */
function packedParts() {
  const elements = document.querySelectorAll('script[type="application/octet-stream"]');
  return new Map([...elements].map((element) => [element.id, element.textContent ?? ""]));
}

/**
 * A part is read once; its packed form need not stay.
 *
 * @param {Map<string, string>} packed
 * @param {string} id
 */
function take(packed, id) {
  const part = packed.get(id);
  if (part === undefined) throw new Error(`The file has no part ${id}.`);
  packed.delete(id);
  return unpack(part);
}

/** @param {App} app */
function open(app) {
  Object.assign(window, { dashboard: app });
  return app;
}

/**
 * Read everything again when the reader says so, and when there is something new.
 *
 * @param {App} app
 */
function serve(app) {
  const button = app.frame.refreshButton;
  const reload = async (/** @type {string} */ address, /** @type {string} */ reason) => {
    button.disabled = true;
    try {
      app.load(checked(await askServer(address)));
      await app.settled;
      app.frame.announce(reason);
    } catch (error) {
      app.frame.announce(error instanceof Error ? error.message : String(error));
      app.frame.notices.replaceChildren(h("li", {}, error instanceof Error ? error.message : String(error)));
    }
    button.disabled = false;
  };
  button.addEventListener("click", () => void reload("document?fresh=yes", "The dashboard was refreshed."));
  const look = async () => {
    if (document.visibilityState === "visible" && !button.disabled) {
      const revision = await askServer("revision").then(
        (reply) => reply.revision,
        // The server may be gone for a while; whoever asks for rows is told.
        () => app.contents.provenance.revision,
      );
      if (revision !== app.contents.provenance.revision)
        await reload("document", "There is something new; the dashboard was refreshed.");
    }
    setTimeout(look, LOOK_MILLISECONDS);
  };
  setTimeout(look, LOOK_MILLISECONDS);
}

void start();
