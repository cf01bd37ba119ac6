// What the one who signed in may do. A button that they may not use says why; it can be reached, and does nothing.
import { setAttribute } from "./dom.js";

const ranks = ["viewer", "operator", "admin"];

export class Roles {
  /** @type {{name: string, role: string}|null} null while it is not known; the edge decides in any case */
  identity = null;

  may(role) {
    return this.identity === null || ranks.indexOf(this.identity.role) >= ranks.indexOf(role);
  }

  /** Makes a button answer to a role, or to another one than before. */
  guard(button, role) {
    if (!button.dataset.role) {
      const check = (event) => this.may(button.dataset.role) || event.stopImmediatePropagation();
      button.addEventListener("click", check, { capture: true });
    }
    const isAllowed = this.may(role);
    setAttribute(button, "aria-disabled", isAllowed ? null : "true");
    setAttribute(button, "title", isAllowed ? null : this.why(role));
    button.dataset.role = role;
    return button;
  }

  why(role) {
    return `This needs the role ${role}; ${this.identity?.name} is ${this.identity?.role}.`;
  }
}
