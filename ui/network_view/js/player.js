/**
 * The window sliding over its source, filling the map cell by cell.
 *
 * @typedef {import('./view.js').View} View
 */

import { hasMaps } from './network.js';

const SPEEDS = [2, 5, 12, 30, 80]; // cells a second
const FRAME = `
  <button type="button" data-testid="play-back" aria-label="One cell back">‹</button>
  <button type="button" data-testid="play" aria-label="Slide the window">▶</button>
  <button type="button" data-testid="play-on" aria-label="One cell on">›</button>
  <label>Speed <input type="range" min="0" max="${SPEEDS.length - 1}" value="2" data-testid="play-speed"></label>`;

export class Player {
  /** @param {HTMLElement} home @param {View} view */
  constructor(home, view) {
    this.home = home;
    this.view = view;
    home.innerHTML = FRAME;
    this.button = home.querySelector('[data-testid=play]');
    this.speed = home.querySelector('input');
    this.button.onclick = () => this.toggle();
    home.querySelector('[data-testid=play-back]').onclick = () => this.step(-1);
    home.querySelector('[data-testid=play-on]').onclick = () => this.step(1);
    this.running = false;
    this.filled = Infinity; // cells of the map that are drawn
    this.timer = 0;
  }

  show(can) {
    this.home.hidden = !can;
    if (!can) this.stop();
  }

  toggle() {
    if (this.running) this.stop();
    else this.start();
  }

  /** From the first cell, or on from where it was paused. Who wants no motion steps by hand. */
  start() {
    const { unit, network } = this.view;
    if (!unit || !hasMaps(network.layer(unit.layer))) return;
    if (window.matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.step(1);
      return;
    }
    this.#mark(true);
    if (this.filled === Infinity) this.#go(0);
    else this.#wait();
  }

  stop() {
    clearTimeout(this.timer);
    if (this.running) this.#mark(false);
  }

  /** Forget what was filled: the map is whole again. */
  rewind() {
    this.stop();
    this.filled = Infinity;
  }

  #mark(running) {
    this.running = running;
    this.button.textContent = running ? '❚❚' : '▶';
    this.button.setAttribute('aria-label', running ? 'Pause' : 'Slide the window');
  }

  step(cells) {
    this.stop();
    const { unit, network } = this.view;
    if (!unit || !hasMaps(network.layer(unit.layer))) return;
    const [, width] = network.layer(unit.layer).shape;
    this.#go(unit.index[0] * width + unit.index[1] + cells);
  }

  /** Put the window at a cell, with the map filled so far. */
  #go(cell) {
    const { unit, network } = this.view;
    const [height, width] = network.layer(unit.layer).shape;
    const at = Math.min(Math.max(cell, 0), height * width - 1);
    this.filled = at + 1;
    const index = [Math.floor(at / width), at % width, unit.index[2]];
    this.view.point({ layer: unit.layer, index }, true);
    if (!this.running) return;
    if (at === height * width - 1) this.rewind();
    else this.#wait();
  }

  #wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { unit, network } = this.view;
      if (!unit || !hasMaps(network.layer(unit.layer))) return this.rewind();
      const [, width] = network.layer(unit.layer).shape;
      return this.#go(unit.index[0] * width + unit.index[1] + 1);
    }, 1000 / SPEEDS[Number(this.speed.value)]);
  }
}
