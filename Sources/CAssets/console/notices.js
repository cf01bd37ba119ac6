// Sentences about what was done, said politely to screen readers and shown for a while.
import { button, element, make } from "./dom.js";

const shownFor = 8_000; // ms
const most = 4;

/** Says what was done. @param {"done"|"failed"} kind */
export function notify(text, kind = "done") {
  const list = element("notices");
  const item = make("li", { "data-kind": kind }, make("span", {}, text));
  item.append(button("×", () => item.remove(), { class: "quiet", "aria-label": "Dismiss" }));
  list.append(item);
  while (list.children.length > most) list.firstChild.remove();
  if (kind === "done") setTimeout(() => item.remove(), shownFor);
}
