// A table whose rows stay the same elements while what they say changes: focus, selection and scroll position are kept.
import { make, setAttribute, setText } from "./dom.js";

/**
 * @typedef {object} Column
 * @property {string} id  names the column, in `data-column` of its cells
 * @property {string} title  what its header says
 * @property {string} [sort]  what the API calls this order, where it offers it
 * @property {boolean} [isNumeric]  aligned at the end, numerals of one width
 * @property {boolean} [isHeader]  names the row
 * @property {(row: any) => string} [text]  what a cell says
 * @property {(row: any) => string|null} [hint]  and in full, where that is long
 * @property {(row: any) => string|null} [tone]  good, warning or danger
 * @property {(current: () => any) => Node[]} [make]  makes a cell of its own, once for each row
 * @property {(row: any, cell: HTMLElement) => void} [update]  and keeps it up to date
 */

export class Table {
  /** @type {Map<string, {line: HTMLTableRowElement, cells: HTMLElement[], row: any}>} */
  #lines = new Map();
  #body = make("tbody");

  /**
   * @param {HTMLTableElement} table  empty, or with a caption
   * @param {Column[]} columns
   * @param {object} options
   * @param {(row: any) => string} options.key  what makes two rows the same
   * @param {(sort: string, order: "asc"|"desc") => void} [options.onSort]
   * @param {string} options.empty  what is said where there is no row
   */
  constructor(table, columns, { key, onSort, empty }) {
    Object.assign(this, { table, columns, key, onSort });
    const headers = columns.map((column) => this.#header(column));
    this.empty = make("tr", { class: "empty" }, make("td", { colspan: columns.length }, empty));
    table.append(make("thead", {}, make("tr", {}, ...headers)), this.#body);
  }

  /** What is shown, in order. */
  get rows() {
    return [...this.#lines.values()].map(({ row }) => row);
  }

  /**
   * Shows rows.
   *
   * @param {any[]} rows
   * @param {boolean} [holds]  whether every row keeps its place: nothing comes or moves under somebody's hand, and what is gone is
   *   marked
   * @returns {number} how many rows wait for their place
   */
  show(rows, holds = false) {
    const wanted = new Map(rows.map((row) => [this.key(row), row]));
    if (holds && this.#lines.size > 0) {
      for (const [key, line] of this.#lines) {
        line.line.toggleAttribute("data-gone", !wanted.has(key));
        if (wanted.has(key)) this.#update(line, wanted.get(key));
      }
      return rows.filter((row) => !this.#lines.has(this.key(row))).length;
    }
    for (const [key, { line }] of this.#lines) {
      if (wanted.has(key)) continue;
      line.remove();
      this.#lines.delete(key);
    }
    const ordered = new Map();
    let place = this.#body.firstChild;
    for (const [key, row] of wanted) {
      const line = this.#lines.get(key) ?? this.#make(row);
      line.line.removeAttribute("data-gone");
      this.#update(line, row);
      ordered.set(key, line);
      if (line.line === place) place = place.nextSibling;
      else this.#body.insertBefore(line.line, place);
    }
    this.#lines = ordered;
    if (rows.length === 0) this.#body.append(this.empty);
    else this.empty.remove();
    return 0;
  }

  /** Marks the column that the rows are sorted by. */
  markSort(sort, order) {
    for (const header of this.table.tHead.rows[0].cells) {
      const isSorted = header.dataset.sort === sort;
      setAttribute(header, "aria-sort", isSorted ? (order === "desc" ? "descending" : "ascending") : null);
    }
  }

  #header(column) {
    const header = make("th", {
      scope: "col", class: column.isNumeric ? "number" : null, "data-column": column.id, "data-sort": column.sort,
    });
    if (!column.sort || !this.onSort) {
      header.append(column.title);
      return header;
    }
    const sort = () => this.onSort(column.sort, header.getAttribute("aria-sort") === "descending" ? "asc" : "desc");
    header.append(make("button", { type: "button", class: "sort", onclick: sort }, column.title));
    return header;
  }

  #make(row) {
    const entry = { row, cells: [], line: make("tr", { "data-key": this.key(row) }) };
    entry.cells = this.columns.map((column) => {
      const cell = make(column.isHeader ? "th" : "td", {
        class: column.isNumeric ? "number" : null, scope: column.isHeader ? "row" : null, "data-column": column.id,
      });
      if (column.make) cell.append(...column.make(() => entry.row));
      return cell;
    });
    entry.line.append(...entry.cells);
    return entry;
  }

  #update(entry, row) {
    entry.row = row;
    this.columns.forEach((column, index) => {
      const cell = entry.cells[index];
      if (column.text) setText(cell, column.text(row));
      if (column.hint) setAttribute(cell, "title", column.hint(row));
      if (column.tone) setAttribute(cell, "data-tone", column.tone(row));
      column.update?.(row, cell);
    });
  }
}
