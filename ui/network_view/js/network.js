/**
 * The network under the lens: its layers with what they computed, as the page sent them.
 *
 * A unit is `{layer, index}`: a layer's name, and `[row, column, channel]` or `[position]`.
 *
 * @typedef {import('./payload.js').Tensor} Tensor
 * @typedef {{layer: string, index: number[]}} Unit
 * @typedef {{size: number[], stride: number[], dilation: number[], before: number[]}} Slide
 * @typedef {{name: string, kind: string, owner: string, inputs: string[], shape: number[],
 *   rule: string, slide?: Slide, groups?: number, multiplier?: number, axis?: number,
 *   padding?: number[][], epsilon?: number, activation: string, settings: Record<string, any>,
 *   output: Float32Array, before: Float32Array | null, readers: string[], signed: boolean,
 *   limit: number}} Layer
 */

import { DamagedPayload, parseSafetensors } from './payload.js';

const FORMAT = 1;

/** Numbers in a tensor of that shape. @param {number[]} shape */
export const countOf = shape => shape.reduce((product, size) => product * size, 1);

/** Where a unit stands in its layer's numbers. @param {number[]} shape @param {number[]} index */
export function positionOf(shape, index) {
  let position = 0;
  for (let axis = 0; axis < shape.length; axis++) position = position * shape[axis] + index[axis];
  return position;
}

/** The inverse of `positionOf`. @param {number[]} shape @param {number} position */
export function indexOf(shape, position) {
  const index = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = position % shape[axis];
    position = Math.floor(position / shape[axis]);
  }
  return index;
}

export class Network {
  /**
   * @param {Uint8Array} bytes
   * @throws {DamagedPayload}
   */
  constructor(bytes) {
    const { tensors, metadata } = parseSafetensors(bytes);
    const view = JSON.parse(metadata.view ?? '{}');
    if (view.format !== FORMAT) {
      throw new DamagedPayload(`Expected format ${FORMAT}, received ${view.format}.`);
    }
    this.picture = view.picture;
    this.weightsUrl = view.weights;
    this.classes = view.classes;
    this.selected = view.selected;
    this.compact = view.compact;
    /** @type {Record<string, number[]>} units that are switched off, by layer */
    // Without a prototype: a layer may be called `constructor`.
    this.off = Object.assign(Object.create(null), view.off);
    /** @type {Map<string, Layer>} */
    this.layers = new Map();
    for (const spec of view.layers) this.layers.set(spec.name, this.#layer(spec, tensors));
    for (const layer of this.layers.values()) {
      for (const source of layer.inputs) this.layers.get(source).readers.push(layer.name);
    }
    this.input = this.layers.values().next().value;
  }

  /** @returns {Layer} */
  #layer(spec, tensors) {
    const output = tensors.get(spec.name);
    if (!output || output.data.length !== countOf(spec.shape)) {
      throw new DamagedPayload(`The numbers of ${spec.name} are missing or too few.`);
    }
    for (const source of spec.inputs) {
      if (!this.layers.has(source)) {
        throw new DamagedPayload(`${spec.name} reads ${source}, which does not stand before it.`);
      }
    }
    let least = 0;
    let greatest = 0;
    for (const value of output.data) {
      if (value < least) least = value;
      else if (value > greatest) greatest = value;
    }
    return {
      ...spec,
      output: output.data,
      before: tensors.get(`${spec.name}/before`)?.data ?? null,
      readers: [],
      signed: least < 0,
      limit: Math.max(greatest, -least),
    };
  }

  /** @param {string} name @returns {Layer} */
  layer(name) {
    return this.layers.get(name);
  }

  /** The network's own number. @param {Unit} unit */
  value({ layer, index }) {
    const { shape, output } = this.layers.get(layer);
    return output[positionOf(shape, index)];
  }

  /** Whether there is such a unit. @param {Unit} unit */
  has({ layer, index }) {
    const shape = this.layers.get(layer)?.shape;
    return Boolean(shape) && index.length === shape.length
      && index.every((i, axis) => Number.isInteger(i) && i >= 0 && i < shape[axis]);
  }

  /** The unit of a layer with the greatest value. @param {string} name @returns {Unit} */
  strongest(name) {
    const { shape, output } = this.layers.get(name);
    let best = 0;
    for (let k = 1; k < output.length; k++) if (output[k] > output[best]) best = k;
    return { layer: name, index: indexOf(shape, best) };
  }
}

/** Channels of a layer's output: maps of an image, units of a vector. @param {Layer} layer */
export const channelsOf = layer => layer.shape.at(-1);

/** Whether the layer's output is a stack of maps. @param {Layer} layer */
export const hasMaps = layer => layer.shape.length === 3;

/** `conv_1[3, 4, 5]`. @param {Unit} unit */
export const nameOf = ({ layer, index }) => `${layer}[${index.join(', ')}]`;

/** The unit that a person typed, `conv_1[3, 4, 5]` or `conv_1 3 4 5`. @returns {Unit | null} */
export function unitNamed(text) {
  const match = /^\s*(.+?)\s*[[\s(]\s*([\d\s,]+?)\s*[\])]?\s*$/.exec(text);
  if (!match) return null;
  return { layer: match[1], index: match[2].split(/[\s,]+/).map(Number) };
}
