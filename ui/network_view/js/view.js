/**
 * The network view: the whole network, what is pointed at, and how it came to be.
 *
 *     pointer, keys, the page ──> point(unit) ──> overlay, close-up, read-out
 *                                 pin(unit)   ──> the page
 *
 * Only `pin` tells the server. Everything else stays here.
 *
 * @typedef {import('./network.js').Unit} Unit
 */

import { chain, decisive, explain, readersOf } from './calculation.js';
import { Closeup, resized } from './closeup.js';
import { FRAME, HINT, legendOf } from './frame.js';
import { receptiveField } from './geometry.js';
import { KEYS, SHIFTED, onPinch } from './gestures.js';
import { HEAD, layOut, rangeOf, unitAt, unitBox } from './layout.js';
import { Network, channelsOf, hasMaps, nameOf, unitNamed } from './network.js';
import { drawChain, drawEdges, drawReceptiveField, drawWindows, drawWiring } from './overlay.js';
import { drawBlock, scaleOf, sheetOf } from './picture.js';
import { Player } from './player.js';
import {
  DEAD, OFF, chainList, escaped, readersList, readoutOf, spoken, spokenChain,
} from './readout.js';
import { weightsFrom } from './weights.js';

// Of the blocks: what the page's other things leave of the window, within limits.
const HEIGHT = {
  full: { least: 360, most: 640, others: 580 },
  compact: { least: 240, most: 400, others: 840 },
};
const LEAST_DRESSED = 180;
const TYPE = 16; // screen pixels of the page's type as usual
const ZOOMS = [1, 1.5, 2, 3, 4, 6];
const REST = 120; // milliseconds after which a pointer counts as resting,
const SETTLED = 400; // and a page: a film that plays shows the beginning of each calculation
const PATIENCE = 3000; // for the page to answer a choice

export class View {
  /** @param {HTMLElement} home @param {string} base where this server's files lie */
  constructor(home, base) {
    this.home = home;
    this.base = base;
    home.innerHTML = FRAME;
    const find = selector => home.querySelector(selector);
    this.stage = find('.stage');
    this.world = find('.world');
    this.picture = find('.picture');
    this.over = find('.over');
    this.names = find('.names');
    this.readout = find('.readout');
    this.trouble = find('.trouble');
    this.voice = find('.spoken');
    this.unit = null; // pointed at
    this.pinned = null; // kept
    this.chain = null;
    this.perMap = false;
    this.zoom = 0;
    this.closeup = new Closeup(find('.closeup'), unit => this.point(unit));
    this.player = new Player(find('.player'), this);
    this.#listen(find);
    this.resizes = new ResizeObserver(() => {
      const width = this.stage.clientWidth; // 0 while it is hidden
      if (this.network && width && this.width !== width) this.redraw();
    });
    this.resizes.observe(this.stage);
  }

  #listen(find) {
    const { stage, readout } = this;
    stage.addEventListener('pointermove', event => {
      if (event.pointerType !== 'touch') this.point(this.#under(event));
    });
    stage.addEventListener('pointerleave', event => {
      if (event.pointerType !== 'touch') this.point(this.pinned);
    });
    stage.addEventListener('click', event => this.#click(this.#under(event), event.pointerType));
    stage.addEventListener('keydown', event => this.#key(event));
    find('.closeup').addEventListener('pointerleave', () => this.player.running || this.point(this.pinned));
    find('.closeup').addEventListener('click', () => this.unit && this.pin(this.unit));
    readout.addEventListener('click', ({ target }) => {
      if (target.dataset.unit) this.pin(unitNamed(target.dataset.unit));
      if (target.dataset.act === 'why') this.why();
    });
    find('[data-testid=view-scale]').onchange = event => {
      this.perMap = event.target.value === 'map';
      this.redraw();
    };
    find('[data-testid=zoom-in]').onclick = () => this.zoomBy(1);
    find('[data-testid=zoom-out]').onclick = () => this.zoomBy(-1);
    this.goto = find('[data-testid=unit-goto]');
    this.goto.oninput = () => {
      const unit = unitNamed(this.goto.value);
      if (unit && this.network.has(unit)) this.point(unit);
    };
    this.goto.onchange = () => {
      const unit = unitNamed(this.goto.value);
      const known = unit && this.network.has(unit);
      this.goto.setAttribute('aria-invalid', String(Boolean(this.goto.value) && !known));
      if (known) this.pin(unit);
    };
    onPinch(stage, steps => this.zoomBy(steps));
  }

  /**
   * Take over what the page knows.
   * @param {Uint8Array} bytes @param {(name: string, value: any) => void} send
   */
  update(bytes, send) {
    this.send = send;
    let network;
    this.home.classList.remove('damaged');
    try {
      network = new Network(bytes);
    } catch (error) {
      this.home.classList.add('damaged'); // the digit before would be mistaken for this one
      this.#say(`The network cannot be shown: what arrived is damaged. ${error.message}`);
      return;
    }
    this.#say('');
    const before = this.network;
    this.network = network;
    this.home.classList.toggle('compact', network.compact);
    const look = JSON.stringify(this.look); // the theme may have been changed
    const looked = this.pinned?.layer;
    this.#adopt(network.selected);
    if (before?.picture !== network.picture || look !== this.painted) {
      this.painted = look;
      this.chain = null;
      if (before?.weightsUrl !== network.weightsUrl || !this.weights) this.#load();
      this.redraw();
    } else if (!this.player.running) {
      this.point(this.unit, true);
    }
    if (this.pinned && this.pinned.layer !== looked) this.#reveal(this.pinned);
  }

  /** The page's choice, unless it has not yet seen a newer one of ours. */
  #adopt(selected) {
    const { network } = this;
    if (this.pinned && !network.has(this.pinned)) this.pinned = null;
    if (this.unit && !network.has(this.unit)) {
      this.player.rewind();
      this.unit = null;
    }
    if (this.asked && !network.has(this.asked.unit)) this.asked = null; // another network
    const newer = this.asked && performance.now() - this.asked.at < PATIENCE
      && !(selected && nameOf(selected) === nameOf(this.asked.unit));
    if (newer) return;
    this.asked = null;
    const before = this.pinned;
    if (selected && network.has(selected)) this.pinned = selected;
    const same = before && nameOf(before) === nameOf(this.pinned);
    // What is looked at stays, unless the page has chosen something else.
    if (this.player.running || (this.unit && (same || !this.pinned))) return;
    this.player.rewind();
    this.unit = this.pinned;
  }

  #say(sentence) {
    this.trouble.textContent = sentence;
    this.trouble.hidden = !sentence;
  }

  async #load() {
    const { network } = this;
    this.weights = null; // never those of another moment
    try {
      const weights = await weightsFrom(new URL(network.weightsUrl, this.base).href);
      if (this.network.weightsUrl !== network.weightsUrl) return;
      this.weights = weights;
    } catch (error) {
      if (this.network.weightsUrl !== network.weightsUrl) return;
      this.#say(`The calculations cannot be shown. ${error.message}`);
    }
    this.point(this.unit, true);
  }

  get look() {
    const style = getComputedStyle(this.home);
    const of = name => style.getPropertyValue(name).trim();
    return {
      text: of('--st-text-color'),
      ground: of('--st-background-color'),
      accent: of('--mark'),
      font: of('--st-font') || 'sans-serif',
      faint: of('--faint'),
      neutral: of('--st-text-color'),
      plus: of('--plus'),
      minus: of('--minus'),
    };
  }

  /** Lay out and paint everything. */
  redraw() {
    const { network } = this;
    this.colours = this.look;
    this.width = this.stage.clientWidth;
    const zoom = ZOOMS[this.zoom];
    const { least, most, others } = HEIGHT[network.compact ? 'compact' : 'full'];
    // A page dressed for a projector says itself how much it needs, and takes less if it must.
    const said = parseInt(getComputedStyle(this.home).getPropertyValue('--cs-others'), 10);
    const left = window.innerHeight - (said || others);
    const height = Math.min(Math.max(left, said ? LEAST_DRESSED : least), most);
    const type = parseFloat(getComputedStyle(document.documentElement).fontSize) / TYPE;
    this.plan = layOut(network, this.width * zoom, height * zoom, type);
    const { blocks, width, height: tall } = this.plan;
    this.world.style.width = `${width}px`;
    this.world.style.height = `${tall}px`;
    const context = resized(this.picture, width, tall);
    drawWiring(context, network, blocks, this.colours.faint);
    context.imageSmoothingEnabled = false;
    this.dead = new Map();
    for (const block of blocks.values()) {
      const sheet = sheetOf(block.layer, this.perMap);
      this.dead.set(block.layer.name, hasMaps(block.layer) ? sheet.dead : []);
      drawBlock(context, block, sheet, this.colours, network.classes, network.off[block.layer.name] ?? []);
    }
    resized(this.over, width, tall);
    this.#label(blocks);
    this.home.querySelector('.legend').innerHTML = legendOf(new Set([...network.layers.values()].map(scaleOf)));
    this.home.dataset.picture = network.picture; // what is painted, for those who wait for it
    this.stage.setAttribute('aria-label',
      `The network, ${network.layers.size} layers from ${[...network.layers.keys()].join(' to ')}.`);
    this.point(this.unit, true);
  }

  /** Each layer's name, shape and range, around its block. */
  #label(blocks) {
    this.names.innerHTML = [...blocks.values()].map(({ layer, x, y, width, height }) => {
      const range = this.perMap && hasMaps(layer) && channelsOf(layer) > 1
        ? 'own scales' : rangeOf(layer);
      const off = this.network.off[layer.name]?.length ?? 0;
      const dead = this.dead.get(layer.name).length - (hasMaps(layer) ? off : 0);
      const lost = [dead ? `${dead} dead` : '', off ? `${off} off` : ''].filter(Boolean).join(', ');
      const middle = x + width / 2;
      return `<button type="button" tabindex="-1" data-layer="${escaped(layer.name)}"
          style="left:${middle}px;top:${y - HEAD}px">${escaped(layer.name)}
          <small>${layer.shape.join('×')}</small></button>
        <small style="left:${middle}px;top:${y + height + 2}px">${range}${lost && `<br>${lost}`}</small>`;
    }).join('');
    for (const button of this.names.querySelectorAll('button')) {
      button.onclick = event => {
        event.stopPropagation();
        this.pin(this.network.strongest(button.dataset.layer));
      };
    }
  }

  zoomBy(steps) {
    this.zoom = Math.min(Math.max(this.zoom + steps, 0), ZOOMS.length - 1);
    this.redraw();
    if (this.unit) this.#reveal(this.unit);
  }

  /** Scroll so that a unit can be seen, with its whole layer where that fits. @param {Unit} unit */
  #reveal(unit) {
    const { stage } = this;
    const margin = 48;
    const box = unitBox(this.plan.blocks, unit);
    const block = this.plan.blocks.get(unit.layer);
    const { x, width } = block.width + margin <= stage.clientWidth ? block : box;
    const middle = x + width / 2;
    const half = (Math.max(width, margin) + margin / 2) / 2; // a layer's name is wider than a strip
    if (middle - half < stage.scrollLeft || middle + half > stage.scrollLeft + stage.clientWidth) {
      stage.scrollLeft = middle - stage.clientWidth / 2;
    }
    if (box.y < stage.scrollTop + margin || box.y + box.height > stage.scrollTop + stage.clientHeight) {
      stage.scrollTop = box.y - stage.clientHeight / 2;
    }
  }

  #under(event) {
    const box = this.world.getBoundingClientRect();
    return unitAt(this.plan.blocks, event.clientX - box.left, event.clientY - box.top);
  }

  #click(unit, pointer) {
    if (!unit) return;
    const again = this.unit && nameOf(this.unit) === nameOf(unit);
    if (pointer === 'touch' && !again) this.point(unit);
    else this.pin(unit);
  }

  /** Show a unit; null shows what is pinned, or nothing. @param {Unit | null} unit */
  point(unit, fresh = false) {
    const next = unit ?? this.pinned;
    const same = !fresh && next && this.unit && nameOf(next) === nameOf(this.unit);
    if (same || !this.plan || (!fresh && this.player.running)) return;
    this.unit = next;
    if (!fresh) {
      this.chain = null;
      this.player.rewind();
    }
    clearTimeout(this.resting);
    this.#overlay();
    this.#explain(false);
    if (next) this.resting = setTimeout(() => this.#explain(true), fresh ? SETTLED : REST);
  }

  /** Keep a unit and tell the page. @param {Unit} unit */
  pin(unit) {
    this.player.rewind();
    this.chain = null;
    this.pinned = unit;
    this.asked = { unit, at: performance.now() };
    this.point(unit, true);
    this.#reveal(unit);
    this.send('unit', unit);
  }

  #overlay() {
    const context = this.over.getContext('2d');
    context.clearRect(0, 0, this.over.width, this.over.height);
    if (!this.unit) return;
    const { network, unit, colours } = this;
    const { blocks } = this.plan;
    if (this.chain) {
      drawChain(context, blocks, this.chain, colours);
    } else if (!this.player.running) {
      drawEdges(context, network, blocks, this.weights, unit, colours);
    }
    drawWindows(context, network, blocks, unit, colours);
    if (hasMaps(network.input)) {
      drawReceptiveField(context, network, blocks, receptiveField(network, unit), colours);
    }
  }

  /** The calculation of the unit: at once its beginning, all of it when the pointer rests. */
  #explain(complete) {
    const { network, unit, weights } = this;
    this.readout.dataset.complete = String(complete);
    this.readout.classList.toggle('pinned', Boolean(this.pinned && unit && nameOf(unit) === nameOf(this.pinned)));
    this.player.show(unit && hasMaps(network.layer(unit.layer)));
    if (!unit) {
      this.readout.innerHTML = HINT;
      this.closeup.home.hidden = true;
      return;
    }
    if (!weights) {
      this.readout.innerHTML = `<p class="unit"><b>${escaped(nameOf(unit))}</b> =
        ${network.value(unit).toFixed(4)}</p><p class="hint">${this.trouble.hidden
          ? 'The weights are on their way.' : 'Without its weights there is no calculation.'}</p>`;
      return;
    }
    const calculation = explain(network, weights, unit);
    const layer = network.layer(unit.layer);
    const map = unit.index.at(-1);
    const off = network.off[unit.layer]?.includes(map) ? OFF : '';
    const dead = off || (this.dead.get(unit.layer).includes(map) ? DEAD : '');
    const way = this.chain ? chainList(this.chain, network) : '';
    const flat = layer.rule === 'reshape'
      || layer.readers.some(name => network.layer(name).rule === 'reshape');
    const readers = complete && flat ? readersList(readersOf(network, weights, unit)) : '';
    this.readout.innerHTML = readoutOf(network, calculation, complete, dead + way + readers);
    this.closeup.draw(network, calculation, this.colours, this.perMap, this.player.filled, this.width);
    if (complete) this.voice.textContent = this.chain ? spokenChain(this.chain) : spoken(network, calculation);
  }

  /** Follow the number back to the ink. */
  why() {
    if (!this.unit || !this.weights) return;
    this.chain = chain(this.network, this.weights, this.unit);
    this.#overlay();
    this.#explain(true);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = event.shiftKey ? SHIFTED[event.key] : KEYS[event.key];
    if (!act) return;
    if (event.key === 'Escape' && !this.unit) return; // nothing to forget: others may act on it
    event.preventDefault();
    event.stopPropagation();
    act(this);
    if (this.unit) this.#reveal(this.unit);
  }

  /** Move within the map, or along the vector. */
  move(rows, columns) {
    const unit = this.#current();
    const { shape } = this.network.layer(unit.layer);
    const index = [...unit.index];
    if (shape.length === 3) {
      index[0] = Math.min(Math.max(index[0] + rows, 0), shape[0] - 1);
      index[1] = Math.min(Math.max(index[1] + columns, 0), shape[1] - 1);
    } else {
      index[0] = Math.min(Math.max(index[0] + rows + columns, 0), shape[0] - 1);
    }
    this.point({ layer: unit.layer, index });
  }

  /** To the map before or after. */
  turn(maps) {
    const unit = this.#current();
    const count = channelsOf(this.network.layer(unit.layer));
    const last = unit.index.at(-1) + maps;
    this.point({ layer: unit.layer, index: unit.index.with(-1, Math.min(Math.max(last, 0), count - 1)) });
  }

  /** One layer back: to the cell that decided. */
  back() {
    if (!this.weights) return;
    const calculation = explain(this.network, this.weights, this.#current());
    const best = decisive(calculation);
    if (best >= 0) this.point({ layer: calculation.cells[best].layer, index: calculation.cells[best].index });
  }

  /** One layer on: to the unit that weighs this one most. */
  on() {
    if (!this.weights) return;
    const [first] = readersOf(this.network, this.weights, this.#current());
    if (first) this.point(first.unit);
  }

  #current() {
    return this.unit ?? this.network.strongest(this.network.input.name);
  }

  /** Forget what is kept; the page keeps its own. */
  release() {
    this.pinned = null;
    this.unit = null;
    this.chain = null;
    this.point(null, true);
  }

  leave() {
    clearTimeout(this.resting);
    this.player.stop();
    this.resizes.disconnect();
  }
}
