/**
 * Activation functions by their Keras names; the formulas of `keras.activations`.
 */

/** The error function. Abramowitz and Stegun 7.1.5 (series) and 7.1.14 (continued fraction). */
function erf(x) {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let term = size;
    let sum = size;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= -size * size / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * sum * 2 / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / ((size + fraction) * Math.sqrt(Math.PI)));
}

const sigmoid = x => 1 / (1 + Math.exp(-x));
const elu = (x, alpha = 1) => (x > 0 ? x : alpha * Math.expm1(x));

/** @type {Record<string, (x: number, settings: Record<string, any>) => number>} */
const FUNCTIONS = {
  linear: x => x,
  relu: (x, { negative_slope: slope = 0, max_value: top = null, threshold = 0 }) => {
    const y = x >= threshold ? x : slope * (x - threshold);
    return top === null ? y : Math.min(y, top);
  },
  relu6: x => Math.min(Math.max(x, 0), 6),
  leaky_relu: (x, { negative_slope: slope = 0.2 }) => (x >= 0 ? x : slope * x),
  elu: (x, { alpha = 1 }) => elu(x, alpha),
  selu: x => 1.0507009873554805 * elu(x, 1.6732632423543772),
  gelu: x => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  silu: x => x * sigmoid(x),
  swish: x => x * sigmoid(x),
  sigmoid,
  hard_sigmoid: x => Math.min(Math.max(x / 6 + 0.5, 0), 1),
  tanh: Math.tanh,
  softplus: x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  softsign: x => x / (1 + Math.abs(x)),
  exponential: Math.exp,
};

/**
 * What a layer's activation makes of a number. Softmax is not among them: it needs a whole row.
 * @param {string} name @param {number} x @param {Record<string, any>} settings
 */
export function activated(name, x, settings) {
  return FUNCTIONS[name](x, settings);
}

/** e to the power of each number less the greatest one; their shares are the softmax. */
export function exponentialsOf(logits) {
  const greatest = Math.max(...logits);
  return Array.from(logits, logit => Math.exp(logit - greatest));
}
