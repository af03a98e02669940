/**
 * Where a unit looks: its cells on each layer it reads, its receptive field on the digit.
 * How windows lie (size, stride, dilation, padding) comes from `cnn_core.probe.geometry`.
 *
 * @typedef {import('./network.js').Layer} Layer
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./network.js').Unit} Unit
 * @typedef {{source: string, rows: number[] | null, columns: number[] | null, channels: number[]}} Reading
 *   every row with every column and channel; a vector has channels only. Rows and columns
 *   outside the source are padding.
 */

import { channelsOf, countOf, indexOf, positionOf } from './network.js';

const range = (start, end) => Array.from({ length: end - start }, (_, k) => start + k);

/** Positions that a window reads along an axis. @param {import('./network.js').Slide} slide */
export function windowLine(slide, axis, position) {
  const start = position * slide.stride[axis] - slide.before[axis];
  return range(0, slide.size[axis]).map(k => start + k * slide.dilation[axis]);
}

/** Input channels that an output channel of a convolution or pooling reads. @param {Layer} layer */
export function channelsRead(layer, inputChannels, channel) {
  if (layer.multiplier) return [Math.floor(channel / layer.multiplier)];
  if (layer.rule !== 'convolution') return [channel];
  const size = inputChannels / layer.groups;
  const group = Math.floor(channel / (channelsOf(layer) / layer.groups));
  return range(group * size, (group + 1) * size);
}

/** What a unit reads, by source. @param {Network} network @param {Unit} unit @returns {Reading[]} */
export function readings(network, unit) {
  const layer = network.layer(unit.layer);
  const sources = layer.inputs.map(name => network.layer(name));
  if (!sources.length) return [];
  const rule = READS[layer.rule];
  return rule ? rule(layer, unit.index, sources) : [];
}

/** A reading of one cell. */
function cell(source, index) {
  const [row, column, channel] = index.length === 3 ? index : [null, null, index[0]];
  return {
    source: source.name,
    rows: row === null ? null : [row],
    columns: column === null ? null : [column],
    channels: [channel],
  };
}

function everything(source) {
  const [rows, columns] = source.shape.length === 3 ? source.shape : [0, 0];
  return {
    source: source.name,
    rows: rows ? range(0, rows) : null,
    columns: rows ? range(0, columns) : null,
    channels: range(0, channelsOf(source)),
  };
}

const slides = (layer, [row, column, channel], [source]) => [{
  source: source.name,
  rows: windowLine(layer.slide, 0, row),
  columns: windowLine(layer.slide, 1, column),
  channels: channelsRead(layer, channelsOf(source), channel),
}];

/** @type {Record<string, (layer: Layer, index: number[], sources: Layer[]) => Reading[]>} */
const READS = {
  convolution: slides,
  maximum: slides,
  mean: slides,
  'global mean': (layer, index, [source]) => [
    { ...everything(source), channels: [index.at(-1)] },
  ],
  dense: (layer, index, [source]) => (index.length === 3
    ? [{ ...everything(source), rows: [index[0]], columns: [index[1]] }]
    : [everything(source)]),
  reshape: (layer, index, [source]) => [
    cell(source, indexOf(source.shape, positionOf(layer.shape, index))),
  ],
  copy: (layer, index, [source]) => [cell(source, index)],
  normalization: (layer, index, [source]) => [cell(source, index)],
  add: (layer, index, sources) => sources.map(source => cell(source, index)),
  concatenate: (layer, index, sources) => {
    let start = 0;
    for (const source of sources) {
      const size = source.shape[layer.axis];
      if (index[layer.axis] < start + size) {
        return [cell(source, index.with(layer.axis, index[layer.axis] - start))];
      }
      start += size;
    }
    return [];
  },
  padding: (layer, index, [source]) => {
    const [[top], [left]] = layer.padding;
    const inner = [index[0] - top, index[1] - left, index[2]];
    const inside = inner.every((i, axis) => i >= 0 && i < source.shape[axis]);
    return inside ? [cell(source, inner)] : [];
  },
};

/** Cells of a reading that lie on its source, as positions in the source's numbers. */
export function* cellsOf(network, reading) {
  const { shape } = network.layer(reading.source);
  if (!reading.rows) {
    yield* reading.channels;
    return;
  }
  const [height, width, count] = shape;
  for (const row of reading.rows) {
    if (row < 0 || row >= height) continue;
    for (const column of reading.columns) {
      if (column < 0 || column >= width) continue;
      for (const channel of reading.channels) yield (row * width + column) * count + channel;
    }
  }
}

/**
 * The pixels that a unit can see, through every path, exact also where strides leave holes.
 * @param {Network} network @param {Unit} unit
 * @returns {Uint8Array} one a pixel of the input, `rows × columns`
 */
export function receptiveField(network, unit) {
  const wanted = new Map([[unit.layer, new Uint8Array(countOf(network.layer(unit.layer).shape))]]);
  wanted.get(unit.layer)[positionOf(network.layer(unit.layer).shape, unit.index)] = 1;
  for (const layer of [...network.layers.values()].reverse()) {
    const mask = wanted.get(layer.name);
    if (mask && layer.inputs.length) {
      if (layer.activation === 'softmax') spreadAlongRows(mask, channelsOf(layer));
      spread(network, layer, mask, wanted);
      wanted.delete(layer.name);
    }
  }
  const [height, width, count] = network.input.shape;
  const seen = wanted.get(network.input.name) ?? new Uint8Array(height * width * count);
  return Uint8Array.from({ length: height * width }, (_, pixel) =>
    (seen.subarray(pixel * count, (pixel + 1) * count).includes(1) ? 1 : 0));
}

/** Softmax reads the whole row that a unit stands in. */
function spreadAlongRows(mask, size) {
  for (let start = 0; start < mask.length; start += size) {
    if (mask.subarray(start, start + size).includes(1)) mask.fill(1, start, start + size);
  }
}

/** Mark in `wanted` what the marked cells of a layer read. */
function spread(network, layer, mask, wanted) {
  const whole = layer.rule === 'dense'
    || (layer.rule === 'convolution' && layer.groups === 1 && !layer.multiplier);
  const count = channelsOf(layer);
  for (let position = mask.indexOf(1); position >= 0; position = mask.indexOf(1, position + 1)) {
    const index = indexOf(layer.shape, position);
    for (const reading of readings(network, { layer: layer.name, index })) {
      const { shape } = network.layer(reading.source);
      if (!wanted.has(reading.source)) wanted.set(reading.source, new Uint8Array(countOf(shape)));
      const into = wanted.get(reading.source);
      for (const at of cellsOf(network, reading)) into[at] = 1;
    }
    // All channels of a cell read the same.
    if (whole) position += count - 1 - (position % count);
  }
}
