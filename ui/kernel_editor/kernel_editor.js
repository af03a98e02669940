/**
 * A grid of numbers. Type them, or take a brush and paint its value; a change goes to the server
 * when it is made, a painted stroke when it ends.
 *
 * @typedef {{kernel: number[][], colours: number[]}} Shown
 */

const BRUSHES = [-2, -1, -0.5, 0, 0.5, 1, 2];
const LEVELS = 255;

const text = value => String(Number(value.toFixed(4))).replace('-', '−');
const number = words => Number(words.trim().replace('−', '-').replace(',', '.'));

class Editor {
  /** @param {ParentNode} root */
  constructor(root) {
    this.home = /** @type {HTMLElement} */ (root.querySelector('.kernel'));
    this.home.innerHTML = `<div class="grid" data-testid="kernel"></div>
      <div class="brushes" role="group" aria-label="Brush">
        <button type="button" data-brush="">Type</button>
        ${BRUSHES.map(value => `<button type="button" data-brush="${value}">${text(value)}</button>`).join('')}
      </div>`;
    this.grid = /** @type {HTMLElement} */ (this.home.querySelector('.grid'));
    this.brush = null;
    this.painting = false;
    this.home.querySelector('.brushes').addEventListener('click', event => {
      const brush = /** @type {HTMLElement} */ (event.target).dataset.brush;
      if (brush !== undefined) this.take(brush);
    });
    this.grid.onpointerdown = event => {
      if (this.brush === null) return;
      event.preventDefault();
      this.painting = true;
      this.grid.setPointerCapture(event.pointerId);
      this.paint(event);
    };
    this.grid.onpointermove = event => this.painting && this.paint(event);
    this.grid.onpointerup = this.grid.onpointercancel = () => {
      if (this.painting) this.send();
      this.painting = false;
    };
    this.grid.onchange = event => this.typed(/** @type {HTMLInputElement} */ (event.target));
    this.grid.onkeydown = event => this.key(event);
    this.take('');
  }

  /** @param {Shown} shown */
  update(shown, send) {
    this.post = send;
    if (this.painting) return;
    this.colours = shown.colours;
    const size = shown.kernel.length;
    if (this.kernel?.length !== size) {
      this.grid.style.gridTemplateColumns = `repeat(${size}, minmax(34px, 64px))`;
      this.grid.innerHTML = shown.kernel.flatMap((row, i) => row.map((_, j) =>
        `<input inputmode="decimal" data-row="${i}" data-column="${j}" aria-label="Row ${i}, column ${j}">`
      )).join('');
    }
    this.kernel = shown.kernel.map(row => [...row]);
    this.draw();
  }

  /** @param {string} brush */
  take(brush) {
    this.brush = brush === '' ? null : Number(brush);
    this.grid.classList.toggle('brushing', this.brush !== null);
    this.home.querySelectorAll('button').forEach(button =>
      button.setAttribute('aria-pressed', String(button.dataset.brush === brush)));
  }

  /** @param {PointerEvent} event */
  paint(event) {
    for (const cell of this.grid.children) {
      const box = cell.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right
        && event.clientY >= box.top && event.clientY <= box.bottom;
      if (inside) {
        this.kernel[cell.dataset.row][cell.dataset.column] = this.brush;
        this.draw();
      }
    }
  }

  /** @param {HTMLInputElement} cell */
  typed(cell) {
    const value = number(cell.value);
    const good = cell.value.trim() !== '' && Number.isFinite(value) && Math.abs(value) <= 99;
    cell.setAttribute('aria-invalid', String(!good));
    if (!good) return;
    this.kernel[cell.dataset.row][cell.dataset.column] = value;
    this.draw();
    this.send();
  }

  /** Up and down move, as in a table; with Shift they count. @param {KeyboardEvent} event */
  key(event) {
    const cell = /** @type {HTMLInputElement} */ (event.target);
    const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const [row, column] = [Number(cell.dataset.row), Number(cell.dataset.column)];
    if (event.shiftKey) {
      this.kernel[row][column] = Math.min(99, Math.max(-99, this.kernel[row][column] - 0.25 * way));
      this.draw();
      this.send();
    } else this.grid.querySelector(`[data-row="${row + way}"][data-column="${column}"]`)?.focus();
  }

  send() {
    this.post('kernel', this.kernel);
  }

  draw() {
    const most = Math.max(1e-9, ...this.kernel.flat().map(Math.abs));
    for (const cell of this.grid.children) {
      const value = this.kernel[cell.dataset.row][cell.dataset.column];
      const level = Math.round(((value / most + 1) / 2) * (LEVELS - 1));
      const [r, g, b] = this.colours.slice(3 * level, 3 * level + 3);
      cell.style.background = `rgb(${r} ${g} ${b})`;
      cell.style.color = 0.3 * r + 0.6 * g + 0.1 * b > 140 ? '#111' : '#fff';
      if (document.activeElement !== cell || cell.getAttribute('aria-invalid') !== 'true') {
        cell.value = text(value);
        cell.removeAttribute('aria-invalid');
      }
    }
  }
}

/** @type {WeakMap<ParentNode, Editor>} */
const editors = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  if (!editors.has(parentElement)) editors.set(parentElement, new Editor(parentElement));
  editors.get(parentElement).update(data, setStateValue);
  return () => editors.delete(parentElement);
}
