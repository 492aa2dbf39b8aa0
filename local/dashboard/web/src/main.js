/** Where the page begins: from what is in the file, or from the server that sent it. */
import { App } from "./app.js";
import { askServer } from "./answers.js";
import { h } from "./dom.js";
import { checked, unpack } from "./reading/document.js";

const LOOK_MILLISECONDS = 5000;

async function start() {
  const embedded = document.getElementById("document");
  try {
    if (embedded) open(new App(await unpack(embedded.textContent ?? ""), null));
    else serve(open(new App(checked(await askServer("document")), askServer)));
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
  const reload = async (/** @type {string} */ reason) => {
    button.disabled = true;
    try {
      app.load(checked(await askServer("document?fresh=yes")));
      await app.settled;
      app.frame.announce(reason);
    } catch (error) {
      app.frame.announce(error instanceof Error ? error.message : String(error));
      app.frame.notices.replaceChildren(h("li", {}, error instanceof Error ? error.message : String(error)));
    }
    button.disabled = false;
  };
  button.addEventListener("click", () => void reload("The dashboard was refreshed."));
  const look = async () => {
    if (document.visibilityState === "visible" && !button.disabled) {
      const revision = await askServer("revision").then(
        (reply) => reply.revision,
        // The server may be gone for a while; whoever asks for rows is told.
        () => app.contents.provenance.revision,
      );
      if (revision !== app.contents.provenance.revision)
        await reload("There is a new run; the dashboard was refreshed.");
    }
    setTimeout(look, LOOK_MILLISECONDS);
  };
  setTimeout(look, LOOK_MILLISECONDS);
}

void start();
