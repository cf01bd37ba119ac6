// A dialog that does one thing: it says first whom that concerns, and waits for a yes.
import { setText } from "./dom.js";
import { notify } from "./notices.js";
import { parseDuration } from "./format.js";

/**
 * @typedef {object} Task
 * @property {string} title  what is about to be done, and to whom
 * @property {string} confirm  what the button says
 * @property {Record<string, string>} [values]  what the fields begin with
 * @property {string[]} [hides]  names of fields that do not matter here
 * @property {(values: Record<string, string>, signal: AbortSignal) => Count|Promise<Count>} [count]  whom it concerns; until it
 *   answers nothing can be confirmed
 * @property {string[]} [countsBy]  the fields on which that depends: it is asked again when one changes
 * @property {(values: Record<string, string>) => Promise<string>} act  does it, and says what was done
 */
/** @typedef {{text: string, confirm?: string, isNobody?: boolean}} Count */

export class ActionDialog {
  /** @type {Task} */
  #task;
  /** @type {AbortController|null} */
  #counting = null;

  /** @param {HTMLDialogElement} dialog  with a form, `.title`, `.count`, `.error`, `.cancel` and `.confirm` */
  constructor(dialog) {
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.form.noValidate = true; // the browser's bubbles are not read everywhere; `.error` is
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    dialog.querySelector(".cancel").addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => this.#counting?.abort());
    this.form.addEventListener("input", ({ target }) => {
      if (this.#task.countsBy?.includes(target.name)) this.#count();
    });
  }

  /** @param {Task} task */
  open(task) {
    this.#task = task;
    this.form.reset();
    for (const [name, value] of Object.entries(task.values ?? {})) this.form.elements[name].value = value;
    for (const field of this.form.querySelectorAll("[data-field]")) {
      field.hidden = (task.hides ?? []).includes(field.dataset.field);
    }
    setText(this.#part(".title"), task.title);
    setText(this.#confirm, task.confirm);
    this.#say("");
    setText(this.#part(".count"), "");
    this.#confirm.disabled = false;
    this.form.dispatchEvent(new Event("prepare"));
    this.dialog.showModal();
    this.#count();
  }

  get values() {
    return Object.fromEntries(new FormData(this.form));
  }

  async #count() {
    if (!this.#task.count) return;
    this.#counting?.abort();
    const counting = (this.#counting = new AbortController());
    this.#confirm.disabled = true;
    try {
      const { text, confirm, isNobody } = await this.#task.count(this.values, counting.signal);
      if (counting.signal.aborted) return;
      setText(this.#part(".count"), text);
      if (confirm) setText(this.#confirm, confirm);
      this.#say("");
      this.#confirm.disabled = Boolean(isNobody);
    } catch (error) {
      if (counting.signal.aborted) return;
      setText(this.#part(".count"), "");
      this.#say(error.message, error.member);
    }
  }

  async #submit() {
    if (this.#confirm.disabled) return;
    const invalid = [...this.form.elements].find((field) => !field.checkValidity() && field.offsetParent !== null);
    if (invalid) return this.#say(`${labelOf(invalid)}: ${invalid.title || invalid.validationMessage}`, invalid.name);
    this.#confirm.disabled = true;
    this.#confirm.setAttribute("aria-busy", "true");
    try {
      const done = await this.#task.act(this.values);
      this.dialog.close();
      notify(done);
    } catch (error) {
      if (this.dialog.open) this.#say(error.message, error.member);
      else notify(error.message, "failed");
    } finally {
      this.#confirm.disabled = false;
      this.#confirm.removeAttribute("aria-busy");
    }
  }

  #say(text, member = "") {
    for (const field of this.form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    setText(this.#part(".error"), text);
    const field = member && this.form.elements[member];
    if (!(field instanceof HTMLElement)) return;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  #part(selector) {
    return this.dialog.querySelector(selector);
  }

  get #confirm() {
    return this.#part(".confirm");
  }
}

/** A field that must be a positive whole number, or nothing. */
export function wholeNumber(text) {
  return text === undefined || text === "" ? undefined : Number(text);
}

/** Seconds of a field such as `10m`; undefined for nothing, which is for good. */
export function seconds(text, member) {
  const value = parseDuration(text ?? "");
  if (Number.isNaN(value)) throw new FieldError("Write how long as 90s, 10m, 1h or 2d.", member);
  return value ?? undefined;
}

class FieldError extends Error {
  constructor(text, member) {
    super(text);
    this.member = member;
  }
}

function labelOf(field) {
  return field.labels?.[0]?.querySelector("span")?.textContent ?? field.name;
}
