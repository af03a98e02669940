/**
 * Numbers as colours. One table a scale, the same as the server's (`cnn_core.views.colour`).
 *
 * @typedef {import('./network.js').Layer} Layer
 * @typedef {import('./layout.js').Block} Block
 */

import { TABLES } from './colours.js';
import { channelsOf, hasMaps } from './network.js';
import { nameWidth, tileBox } from './layout.js';

/** @type {Record<string, Uint32Array>} colours as the canvas keeps them, one a level */
const PALETTES = Object.fromEntries(Object.entries(TABLES).map(([name, flat]) => {
  const bytes = new Uint8ClampedArray(flat.length / 3 * 4).fill(255);
  for (let k = 0; k < flat.length; k++) bytes[Math.floor(k / 3) * 4 + (k % 3)] = flat[k];
  return [name, new Uint32Array(bytes.buffer)];
}));

/** The scale of a layer's numbers. @param {Layer} layer */
export function scaleOf(layer) {
  if (layer.signed) return 'signed';
  return layer.rule === 'given' && channelsOf(layer) === 1 ? 'ink' : 'activation';
}

/** Levels of a scale run over [−limit, limit] if it is signed, else over [0, limit]. */
function painter(scale, limit) {
  const palette = PALETTES[scale];
  const top = palette.length - 1;
  const zero = palette[scale === 'signed' ? top >> 1 : 0];
  if (!(limit > 0)) return () => zero;
  const factor = scale === 'signed' ? top / (2 * limit) : top / limit;
  const shift = scale === 'signed' ? top / 2 : 0;
  return value => palette[Math.round(Math.min(Math.max(value * factor + shift, 0), top))] ?? zero;
}

/** The colour of one number, for a style sheet. */
export function colourOf(value, scale, limit) {
  const colour = painter(scale, limit)(value);
  return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
}

/** A gradient of the scale's colours, for a style sheet. */
export function rampOf(scale) {
  const colours = Array.from({ length: 9 }, (_, k) => colourOf(k / 8 * (scale === 'signed' ? 2 : 1)
    - (scale === 'signed' ? 1 : 0), scale, 1));
  return `linear-gradient(to right, ${colours.join(', ')})`;
}

/**
 * All maps of a layer, or its units, at one pixel a value: maps stand in `sheet.columns` columns.
 * @param {Layer} layer @param {boolean} perMap each map on its own scale
 * @returns {{canvas: HTMLCanvasElement, columns: number, dead: number[]}}
 */
export function sheetOf(layer, perMap) {
  const scale = scaleOf(layer);
  const count = channelsOf(layer);
  const [height, width] = hasMaps(layer) ? layer.shape : [1, 1];
  const columns = Math.ceil(Math.sqrt(count));
  const canvas = document.createElement('canvas');
  canvas.width = columns * width;
  canvas.height = Math.ceil(count / columns) * height;
  const context = canvas.getContext('2d');
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  const dead = [];
  const shared = painter(scale, layer.limit);
  for (let map = 0; map < count; map++) {
    const most = hasMaps(layer) ? greatest(layer.output, map, count) : 1;
    if (most === 0 && layer.rule !== 'given') dead.push(map);
    const paint = perMap && hasMaps(layer) ? painter(scale, most) : shared;
    let from = map;
    const corner = Math.floor(map / columns) * height * canvas.width + (map % columns) * width;
    for (let row = 0; row < height; row++) {
      let to = corner + row * canvas.width;
      for (let column = 0; column < width; column++, from += count) pixels[to++] = paint(layer.output[from]);
    }
  }
  context.putImageData(image, 0, 0);
  return { canvas, columns, dead };
}

/** The greatest magnitude in a map. */
function greatest(output, map, count) {
  let most = 0;
  for (let k = map; k < output.length; k += count) most = Math.max(most, Math.abs(output[k]));
  return most;
}

/** Draw one map of a sheet into a box. @param {CanvasRenderingContext2D} context */
export function drawMap(context, layer, sheet, map, box) {
  const [height, width] = hasMaps(layer) ? layer.shape : [1, 1];
  const x = (map % sheet.columns) * width;
  const y = Math.floor(map / sheet.columns) * height;
  context.drawImage(sheet.canvas, x, y, width, height, box.x, box.y, box.width, box.height);
}

/**
 * A layer in its block: tiles, cells, or labelled bars.
 * @param {CanvasRenderingContext2D} context @param {Block} block
 * @param {{text: string, faint: string, font: string}} look @param {string[]} classes
 * @param {number[]} off units that are switched off
 */
export function drawBlock(context, block, sheet, look, classes, off) {
  const { layer } = block;
  if (block.form === 'bars') {
    drawBars(context, block, look, classes);
    return;
  }
  for (let map = 0; map < channelsOf(layer); map++) {
    drawMap(context, layer, sheet, map, tileBox(block, map));
  }
  if (block.form === 'maps') sheet.dead.forEach(map => crossOut(context, tileBox(block, map)));
  off.forEach(unit => strikeOut(context, tileBox(block, unit)));
}

/** What is switched off is struck out, corner to corner. */
function strikeOut(context, { x, y, width, height }) {
  context.strokeStyle = 'rgb(213 94 0)';
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, y + height);
  context.lineTo(x + width, y);
  context.stroke();
}

/** A dead map is drawn dead, and crossed out. */
function crossOut(context, { x, y, width, height }) {
  const size = Math.min(width, height) / 5;
  context.strokeStyle = 'rgb(128 128 128)';
  context.lineWidth = 1;
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(x + width / 2 - size, y + height / 2 - side * size);
    context.lineTo(x + width / 2 + size, y + height / 2 + side * size);
  }
  context.stroke();
}

/** `98.7%`; what would be rounded to 0 or 1 without being it says so, as on the page. */
function shareText(share) {
  if (share > 0 && share < 0.0005) return '<0.1%';
  if (share >= 0.9995 && share < 1) return '>99.9%';
  return `${(100 * share).toFixed(1)}%`;
}

function drawBars(context, block, look, classes) {
  const { output } = block.layer;
  const best = output.indexOf(Math.max(...output));
  const most = Math.max(...output.map(Math.abs)) || 1;
  const shares = most <= 1;
  output.forEach((value, unit) => {
    const { x, y, width, height } = tileBox(block, unit);
    const names = nameWidth(classes);
    const room = width - names - 50;
    context.font = `${unit === best ? 650 : 400} 12px ${look.font}`;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    context.fillStyle = look.text;
    context.fillText((classes[unit] ?? String(unit)).slice(0, 12), x, y + height / 2);
    context.fillStyle = look.faint;
    context.fillRect(x + names, y + height / 2 - 4, room, 8);
    context.fillStyle = look.text;
    context.fillRect(x + names, y + height / 2 - 4, room * Math.abs(value) / (shares ? 1 : most), 8);
    context.textAlign = 'right';
    const label = shares ? shareText(value) : value.toPrecision(3);
    context.fillText(label, x + width, y + height / 2);
  });
}
