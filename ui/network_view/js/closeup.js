/**
 * A map large, beside what it is made from: the window on its source, the kernel, the result.
 *
 * @typedef {import('./calculation.js').Calculation} Calculation
 * @typedef {import('./network.js').Network} Network
 */

import { decisive, partialSums } from './calculation.js';
import { colourOf, drawMap, scaleOf, sheetOf } from './picture.js';
import { hasMaps } from './network.js';
import { fixed } from './readout.js';

const SIDE = { most: 196, least: 112 }; // screen pixels of a map
const BESIDE = { from: 600, to: 900 }; // widths at which the style sheet folds the three, the
// kernel below the maps, so that the calculation finds room beside them
const KERNEL_CELL = 28;

const FRAME = `
  <figure class="source"><canvas data-testid="closeup-source"></canvas><figcaption></figcaption></figure>
  <figure class="kernel"><canvas></canvas><figcaption></figcaption></figure>
  <figure class="result"><canvas data-testid="closeup-map"></canvas><figcaption></figcaption></figure>`;

export class Closeup {
  /** @param {HTMLElement} home @param {(unit: import('./network.js').Unit) => void} onPoint */
  constructor(home, onPoint) {
    this.home = home;
    home.innerHTML = FRAME;
    [this.source, this.kernel, this.result] = [...home.querySelectorAll('figure')].map(figure => ({
      figure, canvas: figure.querySelector('canvas'), caption: figure.querySelector('figcaption'),
    }));
    for (const event of ['pointermove', 'pointerdown']) {
      this.result.canvas.addEventListener(event, ({ offsetX, offsetY }) => {
        const unit = this.unitAt(offsetX, offsetY);
        if (unit) onPoint(unit);
      });
    }
  }

  /** The cell of the large map at a place in it. */
  unitAt(x, y) {
    if (!this.shown) return null;
    const { layer, scale, channel } = this.shown;
    const [row, column] = [Math.floor(y / scale), Math.floor(x / scale)];
    if (row < 0 || column < 0 || row >= layer.shape[0] || column >= layer.shape[1]) return null;
    return { layer: layer.name, index: [row, column, channel] };
  }

  /**
   * @param {Network} network @param {Calculation} calculation
   * @param {{accent: string, ground: string, text: string, font: string}} look
   * @param {boolean} perMap
   * @param {number} played cells of the map that are filled already; Infinity for all
   * @param {number} width what there is for all three
   */
  draw(network, calculation, look, perMap, played, width) {
    const folded = width >= BESIDE.from && width < BESIDE.to;
    const side = folded ? SIDE.least : (width - 3 * KERNEL_CELL - 32) / 2;
    this.side = Math.min(Math.max(side, SIDE.least), SIDE.most);
    const layer = network.layer(calculation.unit.layer);
    this.home.hidden = !hasMaps(layer);
    this.shown = null;
    if (this.home.hidden) return;
    const [row, column, channel] = calculation.unit.index;
    const scale = this.#drawMap(this.result, layer, channel, perMap, played, look);
    this.shown = { layer, scale, channel };
    this.#frame(this.result, scale, [row], [column], look);
    this.result.caption.textContent = `${layer.name}, map ${channel}`;
    const at = placeOfSource(calculation);
    this.source.figure.hidden = at < 0;
    if (at >= 0) this.#drawSource(network, calculation, at, look, perMap);
    const kernel = at >= 0 && calculation.rule === 'weighted sum' && calculation.window;
    this.kernel.figure.hidden = !kernel;
    if (kernel) this.#drawKernel(calculation, at, look);
  }

  #drawSource(network, { cells, window, winner }, at, look, perMap) {
    const { layer: name, index } = cells[at];
    const source = network.layer(name);
    const channel = index.at(-1);
    const scale = this.#drawMap(this.source, source, channel, perMap, Infinity, look);
    const step = window ? window[2] : 1;
    const read = window ? cells.filter((_, k) => k % step === at % step) : [cells[at]];
    this.#frame(this.source, scale, read.map(cell => cell.index[0]), read.map(cell => cell.index[1]), look);
    if (winner >= 0) {
      const [row, column] = cells[winner].index;
      this.#frame(this.source, scale, [row], [column], look);
    }
    this.source.caption.textContent = `${source.name}, map ${channel}`;
  }

  /** @returns {number} screen pixels a cell */
  #drawMap({ canvas }, layer, channel, perMap, played, look) {
    const [height, width] = layer.shape;
    const scale = Math.max(1, Math.floor(this.side / Math.max(height, width)));
    const context = resized(canvas, width * scale, height * scale);
    const key = `${layer.name}/${perMap}`;
    if (this.sheet?.key !== key || this.sheet.output !== layer.output) {
      const kept = this.kept;
      this.kept = this.sheet;
      this.sheet = kept?.key === key && kept.output === layer.output
        ? kept : { key, output: layer.output, ...sheetOf(layer, perMap) };
    }
    context.imageSmoothingEnabled = false;
    drawMap(context, layer, this.sheet, channel, { x: 0, y: 0, width: width * scale, height: height * scale });
    if (played < height * width) {
      const [row, column] = [Math.floor(played / width), played % width];
      context.fillStyle = look.ground;
      context.fillRect(column * scale, row * scale, (width - column) * scale, scale);
      context.fillRect(0, (row + 1) * scale, width * scale, height * scale);
    }
    return scale;
  }

  /** A frame around cells; what lies outside the map is padding, and is not drawn. */
  #frame({ canvas }, scale, rows, columns, look) {
    const context = canvas.getContext('2d');
    context.strokeStyle = look.accent;
    context.lineWidth = 2;
    const [top, left] = [Math.min(...rows), Math.min(...columns)];
    context.strokeRect(left * scale, top * scale, (Math.max(...columns) - left + 1) * scale,
      (Math.max(...rows) - top + 1) * scale);
  }

  #drawKernel({ window: [rows, columns, count], weights }, at, look) {
    const cell = Math.min(KERNEL_CELL, Math.floor(SIDE.most / Math.max(rows, columns)));
    const context = resized(this.kernel.canvas, columns * cell, rows * cell);
    const most = weights.reduce((so, weight) => Math.max(so, Math.abs(weight)), 0);
    context.font = `10px ${look.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (let k = 0; k < rows * columns; k++) {
      const weight = weights[k * count + (at % count)];
      const [x, y] = [(k % columns) * cell, Math.floor(k / columns) * cell];
      context.fillStyle = colourOf(weight, 'signed', most);
      context.fillRect(x, y, cell, cell);
      if (cell < KERNEL_CELL) continue;
      context.fillStyle = Math.abs(weight) > most / 2 ? '#fff' : '#111';
      context.fillText(fixed(weight, 2).replace('0.', '.'), x + cell / 2, y + cell / 2);
    }
    this.kernel.caption.textContent = 'its kernel';
  }
}

/** A canvas of that many screen pixels, sharp on any screen, wiped. @returns {CanvasRenderingContext2D} */
export function resized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** The term whose map is shown as the source: of the heaviest channel, or the winner; −1 if none. */
function placeOfSource(calculation) {
  const { cells, window, rule } = calculation;
  if (!cells.length || cells[0].index.length !== 3) return -1;
  return window && rule === 'weighted sum' ? partialSums(calculation)[0].at : Math.max(decisive(calculation), 0);
}
