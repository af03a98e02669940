/**
 * What joins a map or unit to those it reads and to those that read it, and how strongly.
 *
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./network.js').Unit} Unit
 * @typedef {{from: Unit, to: Unit, weight: number | null, size: number}} Edge
 *   `weight` is signed, null where nothing is weighed; `size` is in [0, 1] beside its like.
 */

import { readings } from './geometry.js';
import { channelsOf, hasMaps, indexOf, positionOf } from './network.js';

/** @param {Network} network @param {Unit} unit @returns {Edge[]} */
export function incoming(network, weights, unit) {
  const layer = network.layer(unit.layer);
  const channel = unit.index.at(-1);
  const edges = [];
  for (const reading of readings(network, unit)) {
    const source = network.layer(reading.source);
    for (const [at, from] of reading.channels.entries()) {
      edges.push({
        from: unitOf(source, from, reading),
        to: unit,
        ...strength(layer, weights, at, from, channel),
      });
    }
  }
  return scaled(edges);
}

/** @param {Network} network @param {Unit} unit @returns {Edge[]} */
export function outgoing(network, weights, unit) {
  const layer = network.layer(unit.layer);
  const channel = unit.index.at(-1);
  const edges = [];
  for (const name of layer.readers) {
    const reader = network.layer(name);
    if (reader.rule === 'convolution' && !reader.multiplier) {
      const filters = channelsOf(reader);
      const size = channelsOf(layer) / reader.groups;
      const group = Math.floor(channel / size);
      const each = filters / reader.groups;
      for (let filter = group * each; filter < (group + 1) * each; filter++) {
        edges.push({
          from: unit,
          to: middleOf(reader, filter),
          ...strength(reader, weights, channel % size, channel, filter),
        });
      }
    } else if (reader.rule === 'dense') {
      for (let to = 0; to < channelsOf(reader); to++) {
        edges.push({
          from: unit,
          to: { layer: name, index: [...unit.index.slice(0, -1), to] },
          ...strength(reader, weights, channel, channel, to),
        });
      }
    } else if (reader.rule === 'reshape') {
      edges.push(...laidOut(layer, reader, unit));
    } else {
      for (const to of channelsFed(network, reader, layer, channel)) {
        const index = hasMaps(reader) ? middleOf(reader, to).index : [to];
        edges.push({ from: unit, to: { layer: name, index }, weight: null, size: 0 });
      }
    }
  }
  return scaled(edges);
}

/** Channels of `reader` that one channel of `source` goes into. */
function channelsFed(network, reader, source, channel) {
  if (reader.multiplier) {
    return Array.from({ length: reader.multiplier }, (_, k) => channel * reader.multiplier + k);
  }
  if (reader.rule !== 'concatenate' || reader.axis !== reader.shape.length - 1) return [channel];
  let start = 0;
  for (const name of reader.inputs) {
    if (name === source.name) return [start + channel];
    start += channelsOf(network.layer(name));
  }
  return [];
}

/** A map's every cell, or a vector's unit, and where a reshaping layer puts it. */
function laidOut(layer, reader, unit) {
  const edges = [];
  const [height, width] = hasMaps(layer) ? layer.shape : [1, 1];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const index = hasMaps(layer) ? [row, column, unit.index[2]] : unit.index;
      const to = indexOf(reader.shape, positionOf(layer.shape, index));
      edges.push({ from: { layer: layer.name, index }, to: { layer: reader.name, index: to }, weight: null, size: 0 });
    }
  }
  return edges;
}

function unitOf(source, channel, { rows, columns }) {
  if (!rows) return { layer: source.name, index: [channel] };
  return { layer: source.name, index: [rows[rows.length >> 1], columns[columns.length >> 1], channel] };
}

/** The unit in the middle of a map, or the unit of a vector. */
export function middleOf(layer, channel) {
  const index = hasMaps(layer)
    ? [layer.shape[0] >> 1, layer.shape[1] >> 1, channel]
    : [channel];
  return { layer: layer.name, index };
}

/**
 * Sign and size of what a layer gives an input channel: of a kernel, the sum and the norm.
 * @param {number} at the channel's place among those read
 */
function strength(layer, weights, at, from, channel) {
  const kernel = weights?.get(`${layer.owner}/kernel`);
  if (!kernel || !['convolution', 'dense'].includes(layer.rule)) return { weight: null, size: 0 };
  if (layer.rule === 'dense') {
    const weight = kernel.data[at * channelsOf(layer) + channel];
    return { weight, size: Math.abs(weight) };
  }
  const [rows, columns, channels, filters] = kernel.shape;
  let sum = 0;
  let squares = 0;
  for (let cell = 0; cell < rows * columns; cell++) {
    const weight = layer.multiplier
      ? kernel.data[(cell * channels + from) * filters + (channel % layer.multiplier)]
      : kernel.data[(cell * channels + at) * filters + channel];
    sum += weight;
    squares += weight * weight;
  }
  return { weight: sum, size: Math.sqrt(squares) };
}

/** The same edges, their sizes as shares of the greatest. @param {Edge[]} edges */
function scaled(edges) {
  const greatest = edges.reduce((most, edge) => Math.max(most, edge.size), 0) || 1;
  for (const edge of edges) edge.size /= greatest;
  return edges;
}
