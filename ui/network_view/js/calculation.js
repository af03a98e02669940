/**
 * The arithmetic behind one number: a unit taken apart into the terms that make it.
 * The same as `cnn_core.probe.arithmetic`, here so that a pointer need not ask the server.
 * Numbers are the network's own 32-bit ones; they are multiplied and added in 64 bits.
 *
 * @typedef {import('./network.js').Layer} Layer
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./network.js').Unit} Unit
 * @typedef {Map<string, import('./payload.js').Tensor>} Weights
 *
 * @typedef {object} Calculation
 * @property {Unit} unit
 * @property {string} rule `given`, `weighted sum`, `maximum`, `mean`, `scale and shift`, `sum`,
 *   `copy`, `zero`, or `unknown`
 * @property {Unit[]} cells what each term reads; cells outside their layer are padding
 * @property {Float64Array} values what stands there; 0 for padding
 * @property {Float64Array} weights what each is multiplied by
 * @property {Float64Array} terms the products
 * @property {number} bias
 * @property {number} total the pre-activation
 * @property {number[] | null} window rows, columns, channels of the terms, in their order
 * @property {number} winner of a maximum, the first greatest term; else −1
 * @property {string} activation
 * @property {number[] | null} logits for softmax, the pre-activations along the unit's row
 * @property {number} value by this arithmetic
 * @property {number} networkValue in the network's own tensor
 * @property {Record<string, number>} constants named numbers that weights and bias are made of
 */

import { activated, exponentialsOf } from './activation.js';
import { readings } from './geometry.js';
import { channelsOf, indexOf, positionOf } from './network.js';

/**
 * @param {Network} network
 * @param {Weights} weights those of the same moment
 * @param {Unit} unit
 * @returns {Calculation}
 */
export function explain(network, weights, unit) {
  const layer = network.layer(unit.layer);
  const own = name => weights.get(`${layer.owner}/${name}`)?.data;
  const read = readCells(network, layer, unit);
  const made = (RULES[layer.rule] ?? RULES.unknown)(layer, unit.index, read, own);
  const factors = made.weights ?? new Float64Array(read.values.length).fill(1);
  const terms = read.values.map((value, k) => value * factors[k]);
  const bias = made.bias ?? 0;
  const total = made.total ?? terms.reduce((sum, term) => sum + term, 0) + bias;
  const networkValue = network.value(unit);
  const { activation } = layer;
  const logits = activation === 'softmax' ? logitsOf(layer, unit.index) : null;
  let value = networkValue;
  if (logits) {
    const exponentials = exponentialsOf(logits);
    value = exponentials[unit.index.at(-1)] / exponentials.reduce((sum, each) => sum + each, 0);
  } else if (made.rule !== 'unknown') {
    value = activated(activation, total, layer.settings);
  }
  return {
    unit, ...read, rule: made.rule, weights: factors, terms, bias, total, activation, logits, value,
    networkValue, winner: made.winner ?? -1, constants: made.constants ?? {},
    window: made.windowless ? null : read.window,
  };
}

/** The cells a unit reads, with what stands in them. @param {Network} network @param {Layer} layer */
function readCells(network, layer, unit) {
  const cells = [];
  const values = [];
  let window = null;
  for (const { source, rows, columns, channels } of readings(network, unit)) {
    const { shape, output } = network.layer(source);
    for (const row of rows ?? [null]) {
      for (const column of columns ?? [null]) {
        for (const channel of channels) {
          const index = row === null ? [channel] : [row, column, channel];
          const inside = row === null
            || (row >= 0 && row < shape[0] && column >= 0 && column < shape[1]);
          cells.push({ layer: source, index, inside });
          values.push(inside ? output[positionOf(shape, index)] : 0);
        }
      }
    }
    if (rows) window = [rows.length, columns.length, channels.length];
  }
  return { cells, values: Float64Array.from(values), window };
}

/** @param {Layer} layer */
function logitsOf(layer, index) {
  const count = channelsOf(layer);
  const start = positionOf(layer.shape, [...index.slice(0, -1), 0]);
  return Array.from(layer.before.subarray(start, start + count));
}

/** @type {Record<string, (layer: Layer, index: number[], read: any, own: (name: string) => Float32Array) => any>} */
const RULES = {
  given: () => ({ rule: 'given', windowless: true }),

  convolution(layer, index, { cells }, own) {
    const kernel = own('kernel');
    const channel = index.at(-1);
    const filters = channelsOf(layer);
    // Kernels lie as (rows, columns, channels read, filters); depthwise (…, channels, multiplier).
    const weights = Float64Array.from(cells, (cell, k) => {
      if (!layer.multiplier) return kernel[k * filters + channel];
      return kernel[k * filters + cell.index[2] * layer.multiplier + (channel % layer.multiplier)];
    });
    return { rule: 'weighted sum', weights, bias: own('bias')?.[channel] ?? 0 };
  },

  dense(layer, index, { cells }, own) {
    const kernel = own('kernel');
    const units = channelsOf(layer);
    const unit = index.at(-1);
    return {
      rule: 'weighted sum',
      weights: Float64Array.from(cells, (_, k) => kernel[k * units + unit]),
      bias: own('bias')?.[unit] ?? 0,
      windowless: true,
    };
  },

  maximum(layer, index, { values, cells }) {
    let winner = -1;
    values.forEach((value, k) => {
      if (cells[k].inside && (winner < 0 || value > values[winner])) winner = k;
    });
    return { rule: 'maximum', winner, total: values[winner] };
  },

  mean(layer, index, { cells }) {
    const inside = cells.filter(cell => cell.inside).length; // padding does not count
    return {
      rule: 'mean',
      weights: Float64Array.from(cells, cell => (cell.inside ? 1 / inside : 0)),
    };
  },

  'global mean': (layer, index, read) => RULES.mean(layer, index, read),

  /** γ·(x − μ) / √(σ² + ε) + β as one scale and one shift. */
  normalization(layer, index, read, own) {
    const channel = index.at(-1);
    const constants = { epsilon: layer.epsilon };
    for (const name of ['gamma', 'beta', 'moving_mean', 'moving_variance']) {
      if (own(name)) constants[name] = own(name)[channel];
    }
    const scale = (constants.gamma ?? 1) / Math.sqrt(constants.moving_variance + layer.epsilon);
    return {
      rule: 'scale and shift',
      weights: Float64Array.of(scale),
      bias: (constants.beta ?? 0) - constants.moving_mean * scale,
      constants,
      windowless: true,
    };
  },

  add: () => ({ rule: 'sum', windowless: true }),
  copy: () => ({ rule: 'copy', windowless: true }),
  reshape: () => ({ rule: 'copy', windowless: true }),
  concatenate: () => ({ rule: 'copy', windowless: true }),
  padding: (layer, index, { cells }) => ({ rule: cells.length ? 'copy' : 'zero', windowless: true }),
  unknown: () => ({ rule: 'unknown', windowless: true }),
};

/** The terms of a window summed per input channel, those that weigh most first.
 * @param {Calculation} calculation
 * @returns {{channel: number, at: number, sum: number}[]} `at` is the channel's place in the window
 */
export function partialSums({ window, terms, cells }) {
  const count = window[2];
  const sums = new Float64Array(count);
  terms.forEach((term, k) => { sums[k % count] += term; });
  return Array.from(sums, (sum, at) => ({ channel: cells[at].index[2], at, sum }))
    .sort((one, other) => Math.abs(other.sum) - Math.abs(one.sum));
}

/** The term that did most to make the unit what it is: −1 if nothing stands there. */
export function decisive({ rule, winner, terms, cells, total, bias }) {
  if (rule === 'maximum') return winner;
  const sign = total - bias < 0 ? -1 : 1;
  let best = -1;
  for (let k = 0; k < terms.length; k++) {
    if (cells[k].inside && (best < 0 || sign * terms[k] > sign * terms[best])) best = k;
  }
  return best;
}

/**
 * Why this number: from a unit back to a pixel, at each layer to the cell that decided. That is
 * the winner of a maximum, and the greatest term of a sum in the direction of that sum.
 * @returns {Unit[]} the unit first
 */
export function chain(network, weights, unit) {
  const units = [unit];
  for (;;) {
    const calculation = explain(network, weights, units.at(-1));
    const best = decisive(calculation);
    if (best < 0) return units;
    units.push({ layer: calculation.cells[best].layer, index: calculation.cells[best].index });
  }
}

/**
 * The units of the next layers that read a unit, with the weight each gives it, the heaviest first.
 * Of a convolution's output only one cell a map is named: the first that reads it.
 * @returns {{unit: Unit, weight: number}[]}
 */
export function readersOf(network, weights, unit) {
  const found = [];
  for (const name of network.layer(unit.layer).readers) {
    const layer = network.layer(name);
    if (layer.rule === 'dense') {
      const { data } = weights.get(`${layer.owner}/kernel`);
      const units = channelsOf(layer);
      for (let to = 0; to < units; to++) {
        const index = [...unit.index.slice(0, -1), to];
        found.push({ unit: { layer: name, index }, weight: data[unit.index.at(-1) * units + to] });
      }
      continue;
    }
    for (const reader of candidates(network, layer, unit)) {
      const { cells, weights: factors } = explain(network, weights, reader);
      const at = cells.findIndex(cell => cell.inside && cell.layer === unit.layer
        && cell.index.every((i, axis) => i === unit.index[axis]));
      if (at >= 0) found.push({ unit: reader, weight: factors[at] });
    }
  }
  return found.sort((one, other) => Math.abs(other.weight) - Math.abs(one.weight));
}

/** Units of `reader` that may read `unit`, one a channel. @param {Layer} reader */
function candidates(network, reader, { layer, index }) {
  const channels = Array.from({ length: channelsOf(reader) }, (_, channel) => channel);
  const source = network.layer(layer);
  if (reader.slide) {
    const place = [0, 1].map(axis => {
      const { stride, size, dilation, before } = reader.slide;
      for (let at = 0; at < reader.shape[axis]; at++) {
        const offset = index[axis] - (at * stride[axis] - before[axis]);
        if (offset >= 0 && offset % dilation[axis] === 0
          && offset / dilation[axis] < size[axis]) return at;
      }
      return -1;
    });
    if (place.includes(-1)) return [];
    const one = reader.rule !== 'convolution' ? [index[2]] : channels;
    return one.map(channel => ({ layer: reader.name, index: [...place, channel] }));
  }
  if (reader.rule === 'reshape') {
    return [{ layer: reader.name, index: indexOf(reader.shape, positionOf(source.shape, index)) }];
  }
  if (reader.rule === 'global mean') {
    return [{ layer: reader.name, index: reader.shape.map((_, axis) =>
      (axis === reader.shape.length - 1 ? index[2] : 0)) }];
  }
  if (reader.rule === 'concatenate') {
    let start = 0;
    for (const name of reader.inputs) {
      if (name === layer) break;
      start += network.layer(name).shape[reader.axis];
    }
    return [{ layer: reader.name, index: index.with(reader.axis, index[reader.axis] + start) }];
  }
  if (reader.rule === 'padding') {
    const [[top], [left]] = reader.padding;
    return [{ layer: reader.name, index: [index[0] + top, index[1] + left, index[2]] }];
  }
  return [{ layer: reader.name, index }];
}
