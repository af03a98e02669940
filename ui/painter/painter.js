/**
 * Pixels under a brush. A stroke goes to the server when it ends; keys paint one pixel.
 */

const WIDTH = 336; // a multiple of 28, 14 and 12
const TOOLS = { ink: 255, grey: 128, erase: 0 };

/** @type {WeakMap<ParentNode, Painter>} */
const painters = new WeakMap();

class Painter {
  /** @param {ParentNode} root */
  constructor(root) {
    const home = /** @type {HTMLElement} */ (root.querySelector('.painter'));
    home.innerHTML = `
      <canvas width="${WIDTH}" height="${WIDTH}" tabindex="0" role="application"
        aria-label="The digit's pixels. Arrow keys move, space paints." data-testid="painter"></canvas>
      <div class="tools">
        ${Object.keys(TOOLS).map(tool =>
          `<button type="button" data-tool="${tool}">${tool[0].toUpperCase()}${tool.slice(1)}</button>`
        ).join('')}
        <span class="read" aria-live="polite"></span>
      </div>`;
    this.canvas = /** @type {HTMLCanvasElement} */ (home.querySelector('canvas'));
    this.read = /** @type {HTMLElement} */ (home.querySelector('.read'));
    this.buttons = /** @type {NodeListOf<HTMLElement>} */ (home.querySelectorAll('button'));
    this.pixels = new Uint8Array();
    this.side = 0;
    this.at = null; // [x, y] under the pointer or the keys
    this.last = null; // where the stroke was last
    this.accent = getComputedStyle(home).getPropertyValue('--st-primary-color') || '#0b7a75';
    this.take('ink');
    this.buttons.forEach(button => { button.onclick = () => this.take(button.dataset.tool); });
    this.canvas.onpointerdown = event => {
      this.canvas.setPointerCapture(event.pointerId);
      this.last = this.cell(event);
      this.point(this.last);
      this.paint(this.last);
    };
    this.canvas.onpointermove = event => {
      const here = this.cell(event);
      this.point(here);
      if (this.last) this.stroke(here);
    };
    this.canvas.onpointerup = () => this.end();
    this.canvas.onpointercancel = () => this.end();
    this.canvas.onpointerleave = () => { if (!this.last) this.point(null); };
    this.canvas.onkeydown = event => this.key(event);
  }

  /** @param {{image: string, side: number}} shown @param {(name: string, value: string) => void} send */
  update(shown, send) {
    this.send = send;
    if (this.last) return; // the answer to an earlier stroke must not undo this one
    this.side = shown.side;
    this.pixels = Uint8Array.from(atob(shown.image), letter => letter.charCodeAt(0));
    this.draw();
  }

  /** @param {string} tool */
  take(tool) {
    this.value = TOOLS[tool];
    this.buttons.forEach(button =>
      button.setAttribute('aria-pressed', String(button.dataset.tool === tool)));
  }

  /** @param {PointerEvent} event */
  cell(event) {
    const box = this.canvas.getBoundingClientRect();
    const to = (offset, size) => Math.min(Math.max(Math.floor((offset / size) * this.side), 0), this.side - 1);
    return [to(event.clientX - box.left, box.width), to(event.clientY - box.top, box.height)];
  }

  /** Every pixel on the way, however fast the pointer went. @param {number[]} here */
  stroke(here) {
    const [x0, y0] = this.last;
    const count = Math.max(Math.abs(here[0] - x0), Math.abs(here[1] - y0));
    for (let k = 1; k <= count; k++) {
      this.paint([
        Math.round(x0 + ((here[0] - x0) * k) / count),
        Math.round(y0 + ((here[1] - y0) * k) / count),
      ]);
    }
    this.last = here;
  }

  /** @param {number[]} at */
  paint([x, y]) {
    this.pixels[y * this.side + x] = this.value;
    this.draw();
  }

  end() {
    if (!this.last) return;
    this.last = null;
    this.send('image', btoa(String.fromCharCode(...this.pixels)));
  }

  /** @param {number[] | null} at */
  point(at) {
    this.at = at;
    this.read.textContent = at
      ? `row ${at[1]}, column ${at[0]}: ${this.pixels[at[1] * this.side + at[0]]}` : '';
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const middle = Math.floor((this.side - 1) / 2);
    const [x, y] = this.at ?? [middle, middle];
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      const inside = value => Math.min(Math.max(value, 0), this.side - 1);
      this.point([inside(x + move[0]), inside(y + move[1])]);
    } else if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      this.last = [x, y];
      this.paint([x, y]);
      this.point([x, y]);
      this.end();
    }
  }

  draw() {
    const pen = this.canvas.getContext('2d');
    const scale = WIDTH / this.side;
    for (let k = 0; k < this.pixels.length; k++) {
      const grey = this.pixels[k];
      pen.fillStyle = `rgb(${grey} ${grey} ${grey})`;
      pen.fillRect((k % this.side) * scale, Math.floor(k / this.side) * scale, scale, scale);
    }
    if (this.at) {
      pen.strokeStyle = this.accent;
      pen.lineWidth = 2;
      pen.strokeRect(this.at[0] * scale + 1, this.at[1] * scale + 1, scale - 2, scale - 2);
    }
  }
}

export default function ({ data, parentElement, setStateValue }) {
  if (!painters.has(parentElement)) painters.set(parentElement, new Painter(parentElement));
  painters.get(parentElement).update(data, setStateValue);
  return () => painters.delete(parentElement);
}
