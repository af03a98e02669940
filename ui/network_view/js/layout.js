/**
 * Where everything stands: a column for each depth of the graph, in it a block for each layer.
 *
 * @typedef {import('./network.js').Layer} Layer
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./network.js').Unit} Unit
 * @typedef {{x: number, y: number, width: number, height: number}} Box
 * @typedef {Box & {layer: Layer, form: 'maps' | 'strip' | 'bars', columns: number, rows: number,
 *   tile: {width: number, height: number}, gap: number}} Block
 */

import { channelsOf, hasMaps } from './network.js';

export const HEAD = 38; // room above a block for its name
export const FOOT = 34; // and below it for its scale, and what is dead
const SKIP = 12; // above all, where connections skip a column
const LETTER = { name: 7, small: 5.6 }; // about the width of one
const APART = { least: 20, most: 72 }; // between blocks, for the edges
const NAMES_APART = 6; // between what stands above and below them
const NARROWEST = 44;
const IMAGE = { least: 56, most: 112 }; // width of the input
const BARS = { width: 96, row: 26, longest: 12 }; // beside their names
const CELL = { high: 3, wide: 2 }; // the least that a strip's cell may be
const STRIP = { least: 64, share: 1 / 9 }; // width of a folded strip, beside all there is

/**
 * @param {Network} network
 * @param {number} width what there is; a deep network takes more and is scrolled
 * @param {number} height of the blocks
 * @param {number} type how large the page's type is: 1 as usual, more before a projector
 * @returns {{blocks: Map<string, Block>, width: number, height: number}}
 */
export function layOut(network, width, height, type = 1) {
  const columns = columnsOf(network);
  const bars = BARS.width + nameWidth(network.classes);
  const widths = columns.map(layers =>
    Math.max(...layers.map(layer => fixedWidth(layer, width, height, bars))));
  const named = columns.map(layers => type * Math.max(...layers.map(labelWidth)));
  const free = width - (columns.length - 1) * APART.least
    - widths.reduce((sum, each, k) => sum + (each && Math.max(each, named[k])), 0);
  const elastic = widths.filter(each => each === 0).length;
  const share = Math.max(NARROWEST, free / Math.max(elastic, 1));
  const blocks = columns.map((layers, k) => {
    const each = (height - (layers.length - 1) * (HEAD + FOOT)) / layers.length;
    return layers.map(layer => blockOf(layer, widths[k] || share, each, width, bars));
  });
  const filled = blocks.map(column => Math.max(...column.map(block => block.width)));
  const used = filled.map((each, k) => Math.max(each, named[k]));
  const empty = used.map((each, k) => (each - filled[k]) / 2); // left and right of a narrow block
  const apart = used.slice(1).map((_, k) =>
    Math.max(NAMES_APART, APART.least - empty[k] - empty[k + 1]));
  const rest = width - [...used, ...apart].reduce((sum, each) => sum + each, 0);
  const more = Math.min(APART.most - APART.least, Math.max(0, rest / Math.max(apart.length, 1)));
  const top = HEAD + (skips(columns) ? SKIP : 0);
  let x = 0;
  const placed = new Map();
  blocks.forEach((column, k) => {
    const tall = column.reduce((sum, block) => sum + block.height + HEAD + FOOT, -FOOT);
    let y = Math.max(top, top + (height + HEAD - tall) / 2);
    for (const block of column) {
      block.x = x + (used[k] - block.width) / 2;
      block.y = y;
      y += block.height + HEAD + FOOT;
      placed.set(block.layer.name, block);
    }
    x += used[k] + (k < apart.length ? apart[k] + more : 0);
  });
  return { blocks: placed, width: Math.floor(x), height: top + height + FOOT };
}

/** What the colours of a layer run over: `0 … 0.688`, `± 2.73`. @param {Layer} layer */
export const rangeOf = ({ signed, limit }) => `${signed ? '± ' : '0 … '}${Number(limit.toPrecision(3))}`;

/** Room for the names of classes beside their bars. @param {string[]} classes */
export function nameWidth(classes) {
  const longest = Math.max(1, ...classes.map(name => Math.min(name.length, BARS.longest)));
  return 9 + LETTER.name * longest;
}

/** Room for what stands above and below a block. @param {Layer} layer */
function labelWidth(layer) {
  const small = Math.max(layer.shape.join('×').length, rangeOf(layer).length);
  return Math.max(layer.name.length * LETTER.name, small * LETTER.small) + 4;
}

/** Whether any layer reads one that does not stand in the column before. @param {Layer[][]} columns */
function skips(columns) {
  return columns.some((layers, k) => k > 0 && layers.some(layer =>
    layer.inputs.some(source => !columns[k - 1].some(({ name }) => name === source))));
}

/** Layers by depth: the longest way from the input. @param {Network} network @returns {Layer[][]} */
export function columnsOf(network) {
  const depth = new Map();
  const columns = [];
  for (const layer of network.layers.values()) {
    const at = Math.max(-1, ...layer.inputs.map(source => depth.get(source))) + 1;
    depth.set(layer.name, at);
    (columns[at] ??= []).push(layer);
  }
  return columns;
}

const isOutput = layer => !layer.readers.length && !hasMaps(layer) && channelsOf(layer) <= 20;

/** Width of a block that does not stretch; 0 for one that does. */
function fixedWidth(layer, width, height, bars) {
  if (isOutput(layer)) return bars;
  if (!hasMaps(layer)) return strip(layer, width, height).width;
  if (channelsOf(layer) === 1) return Math.min(Math.max(IMAGE.least, width / 10), IMAGE.most, height);
  return 0;
}

/** @param {number} all the width of the whole picture @param {number} bars of labelled bars @returns {Block} */
function blockOf(layer, width, height, all, bars) {
  const place = { layer, x: 0, y: 0 };
  if (isOutput(layer)) {
    const rows = channelsOf(layer);
    const tile = { width: bars, height: Math.min(BARS.row, height / rows) };
    return { ...place, form: 'bars', columns: 1, rows, tile, gap: 0, width: bars, height: rows * tile.height };
  }
  return hasMaps(layer) ? { ...place, ...maps(layer, width, height) } : { ...place, ...strip(layer, all, height) };
}

/** As many columns of tiles as make the tiles largest. */
function maps(layer, width, height) {
  const [h, w, count] = layer.shape;
  const gap = count > 1 ? 2 : 0;
  let best = null;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const scale = Math.min(
      (width - (columns - 1) * gap) / columns / w,
      (height - (rows - 1) * gap) / rows / h,
    );
    if (!best || scale > best.scale) best = { columns, rows, scale };
  }
  const { columns, rows } = best;
  // Whole screen pixels a value where that costs little; small maps are not blown up.
  const whole = Math.floor(best.scale);
  const scale = Math.min(8, whole > 1 && whole > 0.8 * best.scale ? whole : best.scale);
  const tile = { width: Math.max(2, w * scale), height: Math.max(2, h * scale) };
  return {
    form: 'maps', columns, rows, tile, gap,
    width: columns * (tile.width + gap) - gap,
    height: rows * (tile.height + gap) - gap,
  };
}

/** A vector from top to bottom, folded into as many lines as it needs: thousands in fine cells. */
function strip(layer, all, height) {
  const count = channelsOf(layer);
  const columns = Math.ceil(count / Math.floor(height / CELL.high));
  const rows = Math.ceil(count / columns);
  const room = Math.max(STRIP.least, all * STRIP.share);
  const folded = Math.max(CELL.wide, Math.min(8, Math.floor(room / columns)));
  const tile = { width: columns > 1 ? folded : 16, height: Math.min(16, height / rows) };
  return {
    form: 'strip', columns, rows, tile, gap: 0,
    width: columns * tile.width, height: rows * tile.height,
  };
}

/** Where a map or a vector's unit stands. @param {Block} block @returns {Box} */
export function tileBox(block, channel) {
  const { columns, rows, tile, gap } = block;
  const [row, column] = block.form === 'maps'
    ? [Math.floor(channel / columns), channel % columns]
    : [channel % rows, Math.floor(channel / rows)]; // strips run down first
  return {
    x: block.x + column * (tile.width + gap),
    y: block.y + row * (tile.height + gap),
    width: tile.width,
    height: tile.height,
  };
}

/** Where cells of a map stand: rows and columns as ranges, ends included. @returns {Box} */
export function cellsBox(block, [top, bottom], [left, right], channel) {
  const tile = tileBox(block, channel);
  if (block.form !== 'maps') return tile;
  const [height, width] = block.layer.shape;
  const h = tile.height / height;
  const w = tile.width / width;
  return {
    x: tile.x + left * w, y: tile.y + top * h,
    width: (right - left + 1) * w, height: (bottom - top + 1) * h,
  };
}

/** Where a unit stands. @param {Map<string, Block>} blocks @param {Unit} unit @returns {Box} */
export function unitBox(blocks, { layer, index }) {
  const block = blocks.get(layer);
  if (block.form !== 'maps') return tileBox(block, index.at(-1));
  return cellsBox(block, [index[0], index[0]], [index[1], index[1]], index[2]);
}

/** The unit at a point of the picture. @param {Map<string, Block>} blocks @returns {Unit | null} */
export function unitAt(blocks, x, y) {
  for (const block of blocks.values()) {
    const inX = x - block.x;
    const inY = y - block.y;
    if (inX < 0 || inY < 0 || inX >= block.width || inY >= block.height) continue;
    const column = Math.floor(inX / (block.tile.width + block.gap));
    const row = Math.floor(inY / (block.tile.height + block.gap));
    const channel = block.form === 'maps' ? row * block.columns + column : column * block.rows + row;
    if (channel >= channelsOf(block.layer)) return null;
    if (block.form !== 'maps') return { layer: block.layer.name, index: [channel] };
    const [height, width] = block.layer.shape;
    const within = (position, size, count) => Math.min(count - 1, Math.floor(position / size * count));
    const atRow = within(inY - row * (block.tile.height + block.gap), block.tile.height, height);
    const atColumn = within(inX - column * (block.tile.width + block.gap), block.tile.width, width);
    return { layer: block.layer.name, index: [atRow, atColumn, channel] };
  }
  return null;
}
