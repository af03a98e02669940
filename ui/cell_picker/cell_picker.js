/**
 * A picture of sharp pixels. Pointing reads the value there; a click, a tap or Enter chooses it.
 * Nothing goes to the server before something is chosen.
 *
 * @typedef {{src: string, width: number, height: number, scale: number,
 *   boxes: number[][], values: number[] | null, alt: string}} Shown
 */

/** @type {WeakMap<ParentNode, Picker>} */
const pickers = new WeakMap();

class Picker {
  /** @param {ParentNode} root */
  constructor(root) {
    const home = /** @type {HTMLElement} */ (root.querySelector('.picker'));
    home.innerHTML = `
      <div class="stage" tabindex="0" role="application" data-testid="picker-stage">
        <img draggable="false"><div class="here" hidden></div>
      </div>
      <div class="read" aria-live="polite"></div>`;
    this.stage = /** @type {HTMLElement} */ (home.querySelector('.stage'));
    this.image = /** @type {HTMLImageElement} */ (home.querySelector('img'));
    this.mark = /** @type {HTMLElement} */ (home.querySelector('.here'));
    this.read = /** @type {HTMLElement} */ (home.querySelector('.read'));
    this.at = null; // [x, y] under the pointer or the keys
    this.stage.onpointermove = event => this.point(this.cell(event));
    this.stage.onpointerleave = () => this.point(null);
    this.stage.onclick = event => this.pick(this.cell(event));
    this.stage.onkeydown = event => this.key(event);
  }

  /** @param {Shown} shown @param {(name: string, value: number[]) => void} send */
  update(shown, send) {
    this.shown = shown;
    this.send = send;
    this.image.alt = shown.alt;
    this.stage.setAttribute('aria-label', `${shown.alt}. Arrow keys move, Enter chooses.`);
    if (this.image.src !== shown.src) this.image.src = shown.src;
    this.read.hidden = !shown.values;
    this.stage.style.width = `${shown.width * shown.scale}px`;
    this.stage.style.aspectRatio = `${shown.width} / ${shown.height}`;
    this.stage.querySelectorAll('.box').forEach(box => box.remove());
    for (const [left, top, width, height] of shown.boxes) {
      const box = document.createElement('div');
      box.className = 'box';
      this.place(box, left, top, width, height);
      this.stage.append(box);
    }
    this.point(this.at);
  }

  /** @param {HTMLElement} element */
  place(element, left, top, width, height) {
    const { width: w, height: h } = this.shown;
    element.style.left = `${(100 * left) / w}%`;
    element.style.top = `${(100 * top) / h}%`;
    element.style.width = `${(100 * width) / w}%`;
    element.style.height = `${(100 * height) / h}%`;
  }

  /** The cell under a pointer event. @param {MouseEvent} event */
  cell(event) {
    const box = this.stage.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * this.shown.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * this.shown.height);
    return [
      Math.min(Math.max(x, 0), this.shown.width - 1),
      Math.min(Math.max(y, 0), this.shown.height - 1),
    ];
  }

  /** @param {number[] | null} at */
  point(at) {
    this.at = at;
    this.mark.hidden = !at;
    this.read.textContent = '';
    if (!at) return;
    this.place(this.mark, at[0], at[1], 1, 1);
    if (this.shown.values) {
      const value = this.shown.values[at[1] * this.shown.width + at[0]];
      this.read.textContent =
        `row ${at[1]}, column ${at[0]}: ${value.toPrecision(6).replace('-', '\u2212')}`;
    }
  }

  /** @param {number[]} at */
  pick(at) {
    this.send('pick', at);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    const first = this.shown.boxes.at(-1) ?? [0, 0];
    const [x, y] = this.at ?? [first[0], first[1]];
    if (move) {
      event.preventDefault();
      const { width, height } = this.shown;
      this.point([
        Math.min(Math.max(x + move[0], 0), width - 1),
        Math.min(Math.max(y + move[1], 0), height - 1),
      ]);
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.pick([x, y]);
    }
  }
}

export default function ({ data, parentElement, setStateValue }) {
  if (!pickers.has(parentElement)) pickers.set(parentElement, new Picker(parentElement));
  pickers.get(parentElement).update(data, setStateValue);
  return () => pickers.delete(parentElement);
}
