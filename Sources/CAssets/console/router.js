// Which view is shown, and of what: `#/connections?user=ada`. Filters stand in the address, so that a look can be passed on;
// a token never does.
import { element } from "./dom.js";

/** The address of a view. */
export function address(view, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(given).toString();
  return `#/${view}${text ? `?${text}` : ""}`;
}

/** @typedef {{show: (query: Record<string, string>) => void, hide: () => void}} View */

/** Shows the view of the address, now and whenever that changes. @param {Record<string, View>} views  the first is the default */
export function startRouter(views) {
  let shown = null;
  const follow = () => {
    const [path, query = ""] = location.hash.slice(2).split("?", 2);
    const name = Object.hasOwn(views, path) ? path : Object.keys(views)[0];
    if (shown !== name) {
      if (shown !== null) {
        views[shown].hide();
        scrollTo(0, 0);
      }
      for (const other of Object.keys(views)) element(other).hidden = other !== name;
      for (const link of element("views").querySelectorAll("a")) {
        link.toggleAttribute("aria-current", false);
        if (link.hash !== `#/${name}`) continue;
        link.setAttribute("aria-current", "page");
        link.scrollIntoView({ block: "nearest", inline: "nearest" });
      }
      document.title = `${element(name).querySelector("h2").textContent} · Sluice`;
    }
    shown = name;
    views[name].show(Object.fromEntries(new URLSearchParams(query)));
  };
  addEventListener("hashchange", follow);
  follow();
}
