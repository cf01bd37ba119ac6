// Light, dark, or as the system has it.
import { element, setText } from "./dom.js";

const key = "sluice.theme";
const names = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const order = ["auto", "light", "dark"];

/** Takes up the last choice, and changes it with the button. */
export function startTheme() {
  let chosen = localStorage.getItem(key) ?? "auto";
  const apply = () => {
    document.documentElement.dataset.theme = chosen;
    setText(element("theme"), names[chosen]);
  };
  if (!order.includes(chosen)) chosen = "auto";
  element("theme").addEventListener("click", () => {
    chosen = order[(order.indexOf(chosen) + 1) % order.length];
    localStorage.setItem(key, chosen);
    apply();
  });
  apply();
}
