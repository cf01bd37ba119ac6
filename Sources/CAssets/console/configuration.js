// The configuration that is in force, how a new one would differ, and the keys and log level that go with it.
import { element, make, onSubmit, setText } from "./dom.js";
import { count, dateAndClock, duration, text } from "./format.js";
import { notesOf } from "./sections.js";
import { notify } from "./notices.js";
import { Poll } from "./poll.js";
import { Table } from "./table.js";

const effects = { applied: "in force", new_connections: "for new connections", needs_restart: "needs a restart" };

export class ConfigurationView {
  constructor({ api, roles, history, confirm }) {
    Object.assign(this, { api, history, confirm });
    this.poll = this.#document();
    this.parts = [this.poll, this.#keys()];
    this.#reload(roles);
    this.#validate(roles);
    this.#logLevel(roles);
  }

  show() {
    for (const part of this.parts) part.start();
    this.readLogLevel();
  }

  hide() {
    for (const part of this.parts) part.stop();
  }

  refresh() {
    for (const part of this.parts) part.now();
  }

  #document() {
    const notes = notesOf(element("effective"));
    return new Poll({
      every: 10_000, ask: (signal) => this.api.getText("/config", "application/yaml", { signal }), fail: notes.fail,
      show: (yaml) => {
        notes.clear();
        setText(element("yaml"), yaml);
        const config = this.history.latest?.config;
        setText(element("config-about"), config ? about(config) : "");
      },
    });
  }

  #reload(roles) {
    roles.guard(element("reload"), "admin").addEventListener("click", () => {
      const file = this.history.latest?.config?.file ?? "its file";
      this.confirm.open({
        title: "Reload the configuration?", confirm: "Reload",
        count: () => ({ text: `The edge reads ${file} again, all or nothing: a file with an error changes nothing.` }),
        act: async () => {
          try {
            const { changed, diff } = await this.api.send("POST", "/reload");
            drawDiff(element("reload-result"), diff, "Nothing differs from what was in force.");
            this.poll.now();
            return changed ? "The configuration was reloaded." : "Reloaded: nothing changed.";
          } catch (error) {
            drawErrors(element("reload-result"), error);
            throw error;
          }
        },
      });
    });
  }

  #validate(roles) {
    const box = element("draft");
    const result = element("validate-result");
    roles.guard(element("validate"), "operator");
    onSubmit(element("validate-form"), async ({ yaml }) => {
      if (!roles.may("operator")) return;
      element("validate").setAttribute("aria-busy", "true");
      try {
        const { diff } = await this.api.send("POST", "/config/validate", { yaml });
        drawDiff(result, diff, "Valid, and the same as what is in force.", "Valid. A reload with it would change:");
      } catch (error) {
        drawErrors(result, error, (line, column) => select(box, line, column));
      } finally {
        element("validate").removeAttribute("aria-busy");
      }
    });
    element("draft-from-effective").addEventListener("click", () => {
      box.value = element("yaml").textContent;
      box.focus();
    });
  }

  #logLevel(roles) {
    const choice = element("log-level");
    this.readLogLevel = async () => {
      try {
        choice.value = (await this.api.get("/log-level")).level;
      } catch (error) {
        element("log-level-field").hidden = Boolean(error.isAbsent);
      }
    };
    choice.disabled = !roles.may("operator");
    if (choice.disabled) choice.title = roles.why("operator");
    choice.addEventListener("change", async () => {
      try {
        await this.api.send("PUT", "/log-level", { level: choice.value });
        notify(`The log level is ${choice.value}.`);
      } catch (error) {
        notify(error.message, "failed");
        this.readLogLevel();
      }
    });
  }

  #keys() {
    const notes = notesOf(element("keys"));
    const columns = [
      { id: "auth", title: "Auth", isHeader: true, text: ({ auth }) => auth },
      { id: "source", title: "From", text: ({ location, source }) => text(location ?? source), hint: ({ location }) => location },
      {
        id: "keys", title: "Keys", text: ({ keys }) => keys.map(keyText).join(", ") || "none",
        hint: ({ keys }) => keys.map(keyText).join("\n"),
      },
      { id: "age", title: "Age", isNumeric: true, text: ({ age_seconds: age }) => duration(age) },
    ];
    const table = new Table(element("keys-table"), columns, { key: ({ auth }) => auth, empty: "No route asks for a token." });
    return new Poll({
      every: 10_000, ask: (signal) => this.api.get("/keys", { signal }), fail: notes.fail,
      show: ({ keys }) => {
        notes.clear();
        table.show(keys);
      },
    });
  }
}

function keyText({ kid, algorithm }) {
  return [kid, algorithm].filter(Boolean).join(" ") || "unnamed";
}

function about({ file, loaded_at: loaded, last_reload: reload }) {
  const last = reload ? `; last reload ${dateAndClock(reload.at)} UTC: ${reload.result}` : "";
  return `${file}, loaded ${dateAndClock(loaded)} UTC${last}`;
}

function drawDiff(place, diff, nothing, intro = "") {
  if (diff.length === 0) return place.replaceChildren(make("p", { "data-tone": "good" }, nothing));
  const rows = diff.map((change) => make("tr", {},
    make("th", { scope: "row" }, change.path), make("td", { class: "old" }, written(change.old)),
    make("td", { class: "new" }, written(change.new)),
    make("td", { "data-tone": change.effect === "needs_restart" ? "warning" : null }, effects[change.effect] ?? change.effect)));
  const head = make("tr", {}, ...["Key", "Was", "Is", "Effect"].map((title) => make("th", { scope: "col" }, title)));
  const table = make("table", { class: "diff" }, make("thead", {}, head), make("tbody", {}, ...rows));
  place.replaceChildren(...(intro ? [make("p", { "data-tone": "good" }, intro)] : []), make("div", { class: "frame" }, table));
}

/** Lists the errors; `jump` goes to a place in the text, where there is one. */
function drawErrors(place, error, jump) {
  const errors = error.errors?.length > 0 ? error.errors : [{ message: error.message }];
  const items = errors.map(({ path, line, column, message }) => {
    const where = line ? `${count(line)}:${count(column)}` : "";
    const go = make("button", { type: "button", class: "link", onclick: () => jump?.(line, column) }, where);
    return make("li", {}, ...(where ? [jump ? go : make("span", {}, where), " "] : []), path ? `${path}: ` : "", message);
  });
  place.replaceChildren(make("ul", { class: "errors", "data-tone": "danger" }, ...items));
}

function select(box, line, column) {
  const lines = box.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  box.focus();
  box.setSelectionRange(start + column - 1, start + (lines[line - 1]?.length ?? 0));
}

function written(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
