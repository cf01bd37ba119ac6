// A line of a few minutes, without axes: the number beside it says how much, the line says whether it moves.

const namespace = "http://www.w3.org/2000/svg";
const width = 150; // units of the drawing: one for each value
const height = 28;

export class Sparkline {
  #line = document.createElementNS(namespace, "path");
  #area = document.createElementNS(namespace, "path");
  /** The element; it stretches to the room there is. */
  svg = document.createElementNS(namespace, "svg");

  constructor() {
    this.svg.setAttribute("class", "sparkline");
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("aria-hidden", "true");
    this.#line.setAttribute("class", "line");
    this.#area.setAttribute("class", "area");
    this.svg.append(this.#area, this.#line);
  }

  /** Draws values, the newest at the right end; zero is the ground. @param {number[]} values */
  draw(values) {
    const shown = values.slice(-width);
    const greatest = Math.max(...shown, 1e-9);
    const points = shown.map((value, index) => {
      const x = width - shown.length + 1 + index;
      return `${x} ${(height - 1 - (value / greatest) * (height - 4)).toFixed(2)}`;
    });
    const path = points.length > 1 ? `M${points.join("L")}` : "";
    this.#line.setAttribute("d", path);
    this.#area.setAttribute("d", path && `${path}V${height}H${width - shown.length + 1}Z`);
  }
}
