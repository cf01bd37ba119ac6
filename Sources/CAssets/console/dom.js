// The few things that every view does with the document. Text only ever becomes text nodes and attributes: what peers send is
// shown as it is, and never read as markup.

/** @param {string} id @returns {HTMLElement} */
export const element = (id) => document.getElementById(id);

/**
 * Makes an element. Attributes that are undefined, null or false are left out; `on…` are listeners.
 *
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string)} children
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Makes a button that does one thing. */
export function button(label, action, attributes = {}) {
  return make("button", { type: "button", onclick: action, ...attributes }, label);
}

/** Writes a text where it differs: an unchanged node is not announced, and keeps its selection. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets an attribute where it differs; null takes it away. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Takes the place of a form's navigation. */
export function onSubmit(form, action) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    action(Object.fromEntries(new FormData(form)), event.submitter);
  });
}
