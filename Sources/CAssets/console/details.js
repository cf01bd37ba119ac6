// All that the edge says of one connection.
import { element, make, setText } from "./dom.js";
import { count, text, words } from "./format.js";
import { nameOf } from "./actions.js";

/** Opens the dialog. */
export function showDetails(connection) {
  setText(element("details-title"), `Connection of ${nameOf(connection)}`);
  const members = Object.entries(connection).flatMap(([name, value]) => {
    return [make("dt", {}, words(name)), make("dd", {}, written(value, name))];
  });
  element("details-list").replaceChildren(...members);
  element("details-dialog").showModal();
}

function written(value, name) {
  if (value !== null && typeof value === "object") {
    return Object.entries(value).map(([name, inner]) => `${words(name)}: ${written(inner, name)}`).join(", ");
  }
  return typeof value === "number" && name !== "close_code" ? count(value) : text(value);
}
