/**
 * What lies over the picture while something is pointed at: edges, windows, the receptive field.
 *
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./network.js').Unit} Unit
 * @typedef {import('./layout.js').Block} Block
 * @typedef {{accent: string, plus: string, minus: string, neutral: string}} Colours
 */

import { incoming, outgoing } from './edges.js';
import { readings } from './geometry.js';
import { channelsOf } from './network.js';
import { HEAD, cellsBox, tileBox, unitBox } from './layout.js';

const THICKEST = 3;

/** The faint lines that always join the blocks. @param {CanvasRenderingContext2D} context */
export function drawWiring(context, network, blocks, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  for (const block of blocks.values()) {
    for (const source of block.layer.inputs) join(context, blocks, blocks.get(source), block);
  }
}

/** A line between two blocks; one that skips columns runs above those between and their names. */
function join(context, blocks, from, to) {
  const start = { x: from.x + from.width + 4, y: from.y + from.height / 2 };
  const end = { x: to.x - 4, y: to.y + to.height / 2 };
  const between = [...blocks.values()].filter(block => block.x > from.x + from.width
    && block.x + block.width < to.x);
  context.beginPath();
  context.moveTo(start.x, start.y);
  if (between.length) {
    const top = Math.min(...between.map(block => block.y)) - HEAD - 4;
    const reach = Math.min(48, (end.x - start.x) / 3);
    context.bezierCurveTo(start.x + reach / 2, start.y, start.x + reach / 2, top, start.x + reach, top);
    context.lineTo(end.x - reach, top);
    context.bezierCurveTo(end.x - reach / 2, top, end.x - reach / 2, end.y, end.x, end.y);
  } else {
    const bend = (end.x - start.x) / 2;
    context.bezierCurveTo(start.x + bend, start.y, end.x - bend, end.y, end.x, end.y);
  }
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Network} network @param {Map<string, Block>} blocks
 * @param {import('./calculation.js').Weights | null} weights
 * @param {Unit} unit @param {Colours} colours
 */
export function drawEdges(context, network, blocks, weights, unit, colours) {
  const edges = [...incoming(network, weights, unit), ...outgoing(network, weights, unit)];
  // The strong ones last, on top.
  edges.sort((one, other) => one.size - other.size);
  for (const { from, to, weight, size } of edges) {
    const start = tileBox(blocks.get(from.layer), from.index.at(-1));
    const end = tileBox(blocks.get(to.layer), to.index.at(-1));
    const bend = (end.x - start.x - start.width) / 2;
    const [x, y] = [start.x + start.width, start.y + start.height / 2];
    context.globalAlpha = weight === null ? 0.5 : 0.15 + 0.75 * size;
    context.strokeStyle = weight === null ? colours.neutral : weight < 0 ? colours.minus : colours.plus;
    context.lineWidth = weight === null ? 1 : Math.max(0.5, THICKEST * size);
    context.beginPath();
    context.moveTo(x, y);
    context.bezierCurveTo(x + bend, y, end.x - bend, end.y + end.height / 2, end.x, end.y + end.height / 2);
    context.stroke();
  }
  context.globalAlpha = 1;
}

/** The unit, its map, and its window on every map it reads. */
export function drawWindows(context, network, blocks, unit, colours) {
  const block = blocks.get(unit.layer);
  context.strokeStyle = colours.accent;
  context.lineWidth = 1;
  if (block.form === 'maps') frame(context, tileBox(block, unit.index[2]), 1.5);
  frame(context, unitBox(blocks, unit), 0.5);
  for (const { source, rows, columns, channels } of readings(network, unit)) {
    const from = blocks.get(source);
    if (!rows || from.form !== 'maps') {
      if (channels.length < channelsOf(from.layer)) {
        for (const channel of channels) frame(context, tileBox(from, channel), 0.5);
      }
      continue;
    }
    const [height, width] = from.layer.shape;
    const inside = (line, count) => [Math.max(line[0], 0), Math.min(line.at(-1), count - 1)];
    for (const channel of channels) {
      frame(context, cellsBox(from, inside(rows, height), inside(columns, width), channel), 0.5);
    }
  }
}

/** @param {number} out how far outside the box */
function frame(context, { x, y, width, height }, out) {
  context.strokeRect(x - out, y - out, width + 2 * out, height + 2 * out);
}

/** The pixels that the unit can see, as one outline. @param {Uint8Array} seen */
export function drawReceptiveField(context, network, blocks, seen, colours) {
  const block = blocks.get(network.input.name);
  const [height, width] = network.input.shape;
  const at = (row, column) => row >= 0 && row < height && column >= 0 && column < width
    && seen[row * width + column] === 1;
  context.strokeStyle = colours.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let channel = 0; channel < channelsOf(network.input); channel++) {
    const tile = tileBox(block, channel);
    const h = tile.height / height;
    const w = tile.width / width;
    for (let row = 0; row <= height; row++) {
      for (let column = 0; column <= width; column++) {
        const x = tile.x + column * w;
        const y = tile.y + row * h;
        if (at(row, column) !== at(row - 1, column)) {
          context.moveTo(x, y);
          context.lineTo(x + w, y);
        }
        if (at(row, column) !== at(row, column - 1)) {
          context.moveTo(x, y);
          context.lineTo(x, y + h);
        }
      }
    }
  }
  context.stroke();
}

/** A way through the network, from a unit back to the ink. @param {Unit[]} units */
export function drawChain(context, blocks, units, colours) {
  context.strokeStyle = colours.accent;
  context.fillStyle = colours.accent;
  context.lineWidth = 2;
  context.beginPath();
  units.forEach((unit, k) => {
    const { x, y, width, height } = unitBox(blocks, unit);
    if (k) context.lineTo(x + width / 2, y + height / 2);
    else context.moveTo(x + width / 2, y + height / 2);
  });
  context.stroke();
  for (const unit of units) {
    const { x, y, width, height } = unitBox(blocks, unit);
    context.beginPath();
    context.arc(x + width / 2, y + height / 2, 3, 0, 2 * Math.PI);
    context.fill();
  }
}
