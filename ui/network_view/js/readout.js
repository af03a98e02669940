/**
 * The calculation behind a unit, in words and numbers.
 * Numbers are shown at four decimals and carry their full precision as `data-value`.
 *
 * @typedef {import('./calculation.js').Calculation} Calculation
 * @typedef {import('./network.js').Network} Network
 */

import { exponentialsOf } from './activation.js';
import { decisive, partialSums } from './calculation.js';
import { hasMaps, nameOf } from './network.js';

const FIRST = 3; // channels and inputs shown at once; the rest follows when the pointer rests

const ESCAPED = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escaped = text => String(text).replace(/[&<>"']/g, letter => ESCAPED[letter]);

const minus = text => text.replaceAll('-', '\u2212');

/** At so many decimals; what rounds to 0 has no sign. */
export const fixed = (value, decimals) => minus((Number(value.toFixed(decimals)) || 0).toFixed(decimals));

/** A number with its sign's colour. */
function shown(value, testid = '') {
  const mark = testid ? ` data-testid="${testid}"` : '';
  const sign = value < 0 ? 'minus' : 'plus';
  return `<span class="${sign}"${mark} data-value="${value}">${fixed(value, 4)}</span>`;
}

/** A number as it is, large or small. */
const any = value => minus(Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 || value === 0
  ? fixed(value, 4) : value.toExponential(3));

const line = text => `<li>${text}</li>`;

/**
 * @param {Network} network @param {Calculation} calculation
 * @param {boolean} complete every term; else the first few, which is quick
 * @param {string} more safe HTML to stand below the unit's name
 * @returns {string} safe HTML
 */
export function readoutOf(network, calculation, complete, more) {
  const { rule } = calculation;
  const body = BODIES[rule](network, calculation, complete);
  const softmax = calculation.logits ? softmaxOf(network, calculation) : '';
  return `${headOf(network, calculation)}${more}${resultOf(calculation)}${softmax}${body}`;
}

/** What the unit is, and the network's own number. */
function headOf(network, calculation) {
  const { unit, networkValue } = calculation;
  const { kind } = network.layer(unit.layer);
  const why = decisive(calculation) < 0 ? ''
    : '<button type="button" data-act="why" data-testid="unit-why">Why this number</button>';
  return `<p class="unit"><b data-testid="unit-name">${escaped(nameOf(unit))}</b> = `
    + `${shown(networkValue, 'unit-value')} <small>${escaped(kind)}</small> ${why}</p>`;
}

/** Terms, bias, sum, activation, and how near the network's own number is. */
function resultOf(calculation) {
  const { rule, terms, bias, total, activation, value, networkValue } = calculation;
  if (rule === 'given' || rule === 'unknown') return '';
  const lines = [];
  const sum = terms.reduce((so, term) => so + term, 0);
  if (['weighted sum', 'scale and shift', 'sum', 'mean'].includes(rule)) {
    const count = terms.length.toLocaleString('en');
    lines.push(line(`Sum of ${count} term${terms.length === 1 ? '' : 's'} ${shown(sum, 'unit-terms')}`));
  }
  if (['weighted sum', 'scale and shift'].includes(rule)) {
    lines.push(line(`+ ${rule === 'weighted sum' ? 'bias' : 'shift'} ${shown(bias, 'unit-bias')}`));
    lines.push(line(`= pre-activation ${shown(total, 'unit-sum')}`));
  }
  if (activation !== 'linear' && activation !== 'softmax') {
    lines.push(line(`${escaped(activation)} makes it ${shown(value)}`));
  }
  const apart = Math.abs(value - networkValue);
  lines.push(line(`The network says ${shown(networkValue)}`
    + `<small>, ${apart === 0 ? 'exactly the same' : `${minus(apart.toExponential(0))} apart`}</small>`));
  return `<ul class="sum">${lines.join('')}</ul>`;
}

const sourceOf = ({ cells }) => escaped(cells[0].layer);

/** @type {Record<string, (network: Network, calculation: Calculation, complete: boolean) => string>} */
const BODIES = {
  given(network, { unit: { index }, networkValue }) {
    const { output, shape } = network.input;
    const place = index.length === 3 ? `row ${index[0]}, column ${index[1]}` : `place ${index[0]}`;
    return `<p>The pixel in ${place}: ${Math.round(networkValue * 255)} / 255. This image runs from
      ${any(Math.min(...output))} to ${any(Math.max(...output))}; with its batch axis the array is
      ${[1, ...shape].join(' × ')}.</p>`;
  },

  'weighted sum': (network, calculation, complete) => (calculation.window
    ? channelsOfWindow(calculation, complete)
    : pushes(calculation, complete)),

  maximum({ }, { window, values, winner, cells }) {
    const [row, column, map] = cells[winner].index;
    return `<div class="grids">${grid(values, window, 0, 'window', winner)}</div>
      <p>The largest stands in row ${row}, column ${column} of map ${map} of
      ${sourceOf({ cells })}.</p>`;
  },

  mean({ }, { window, values, cells }) {
    const inside = cells.filter(cell => cell.inside).length;
    return `<div class="grids">${grid(values, window, 0, 'window')}</div>
      <p>Each of the ${inside} cells counts 1/${inside}.</p>`;
  },

  'scale and shift': ({ }, { cells, values, weights, constants }) => {
    const { gamma = 1, beta = 0, moving_mean: mean, moving_variance: variance, epsilon } = constants;
    return `<p>${escaped(nameOf(cells[0]))} is ${shown(values[0])}. It is normalised over what
      training saw: less the mean ${any(mean)}, by √(${any(variance)} + ${epsilon}); then scaled by
      γ ${any(gamma)} and moved by β ${any(beta)}.</p>
      <p>Scale γ / √(variance + ε) = ${shown(weights[0])}.</p>`;
  },

  sum: ({ }, { cells, values }) => table(
    ['from', 'value'],
    cells.map((cell, k) => [escaped(nameOf(cell)), shown(values[k], 'unit-partial')]),
  ),

  copy(network, { unit, cells }) {
    const source = network.layer(cells[0].layer);
    const layer = network.layer(unit.layer);
    if (layer.rule !== 'reshape' || !hasMaps(source) || hasMaps(layer)) {
      return `<p>Taken as it is from ${escaped(nameOf(cells[0]))}.</p>`;
    }
    const [row, column, map] = cells[0].index;
    const [, width, depth] = source.shape;
    const [position] = unit.index;
    return `<p>Row ${row}, column ${column}, map ${map} of ${escaped(source.name)} lands at
      (${row}·${width} + ${column})·${depth} + ${map} = ${position}.</p>
      <p>And back: ${position} = ${Math.floor(position / depth)}·${depth} + ${map}, so map ${map};
      ${Math.floor(position / depth)} = ${row}·${width} + ${column}, so row ${row}, column
      ${column}.</p>`;
  },

  zero: () => '<p>Padding: nothing stands there, so it is 0.</p>',

  unknown: (network, { unit }) => `<p>The arithmetic of ${escaped(network.layer(unit.layer).kind)}
    is not known here; the number is the network's own.</p>`,
};

/** Patch · kernel = products, for each channel, the greatest partial sum first. */
function channelsOfWindow(calculation, complete) {
  const { window, values, weights, terms } = calculation;
  const sums = partialSums(calculation);
  const rows = (complete ? sums : sums.slice(0, FIRST)).map(({ channel, at, sum }) => `
    <div class="channel" role="listitem" data-channel="${channel}">
      <p>${sourceOf(calculation)} map ${channel} gives ${shown(sum, 'unit-partial')}</p>
      <div class="grids">${grid(values, window, at, 'patch')}<b>·</b>${grid(weights, window, at, 'kernel')}
      <b>=</b>${grid(terms, window, at, 'products')}</div>
    </div>`);
  return `<div role="list" aria-label="Partial sums by channel, largest first">${rows.join('')}</div>
    ${complete ? '<p><small>Cells at two decimals; sums are of the full numbers.</small></p>' : ''}`;
}

/** One channel of a window's numbers as a small table. */
function grid(numbers, [rows, columns, count], at, title, winner = -1) {
  let cells = '';
  for (let k = 0; k < rows * columns; k++) {
    const place = k * count + at;
    cells += `<span${place === winner ? ' class="winner"' : ''}>${fixed(numbers[place], 2)}</span>`;
  }
  return `<figure><figcaption>${title}</figcaption>
    <div style="grid-template-columns:repeat(${columns},auto)">${cells}</div></figure>`;
}

/** Inputs of a dense unit, those that pushed hardest first: one list up, one down. */
function pushes({ terms, values, weights, cells }, complete) {
  const order = Array.from(terms, (_, k) => k).sort((a, b) => Math.abs(terms[b]) - Math.abs(terms[a]));
  const side = (title, chosen) => {
    const sum = chosen.reduce((so, k) => so + terms[k], 0);
    const rows = (complete ? chosen : chosen.slice(0, 2 * FIRST)).map(k => [
      cells[k].index.at(-1), fixed(values[k], 3), fixed(weights[k], 3), shown(terms[k]),
    ]);
    return `<div><p>${title} by ${chosen.length}: ${shown(sum, 'unit-partial')}</p>
      ${table(['input', 'value', 'weight', 'product'], rows)}</div>`;
  };
  const nothing = terms.filter(term => term === 0).length;
  return `<div class="two">
    ${side('Pushed up', order.filter(k => terms[k] > 0))}
    ${side('Pushed down', order.filter(k => terms[k] < 0))}</div>
    <p>${nothing} inputs of ${sourceOf({ cells })} push nothing.</p>`;
}

function table(heads, rows) {
  const body = rows.map(cells => `<tr>${cells.map(cell => `<td>${cell}</td>`).join('')}</tr>`).join('');
  return `<table><thead><tr>${heads.map(head => `<th>${head}</th>`).join('')}</tr></thead>
    <tbody>${body}</tbody></table>`;
}

/** Logits, exponentials, their sum, the shares. */
function softmaxOf(network, { logits, unit }) {
  const exponentials = exponentialsOf(logits);
  const total = exponentials.reduce((sum, each) => sum + each, 0);
  const rows = logits.map((logit, k) => [
    `${k === unit.index.at(-1) ? '▸ ' : ''}${escaped(network.classes[k] ?? k)}`,
    shown(logit), any(exponentials[k]), any(exponentials[k] / total),
  ]);
  return `<p>Softmax: e to the power of each sum less the greatest (${any(Math.max(...logits))}; it
    cancels), shared out among their total ${any(total)}.</p>
    ${table(['class', 'sum', 'exponential', 'share'], rows)}`;
}

/** That a map is dead. */
export const DEAD = '<p>This map is dead: it is 0 everywhere on this digit.</p>';

/** That a unit was switched off. */
export const OFF = '<p>This one is switched off: its weights count as 0, and it gives 0.</p>';

/** The units that read this one. @param {{unit: import('./network.js').Unit, weight: number}[]} readers */
export function readersList(readers) {
  if (!readers.length) return '';
  const rows = readers.map(({ unit, weight }) => [
    `<button type="button" data-unit="${escaped(nameOf(unit))}">${escaped(nameOf(unit))}</button>`,
    shown(weight),
  ]);
  return `<details><summary>Read by ${readers.length} of the next layer</summary>
    ${table(['unit', 'weight'], rows)}</details>`;
}

/** The way back to the ink. @param {import('./network.js').Unit[]} units @param {Network} network */
export function chainList(units, network) {
  const steps = units.map(unit => `<li><button type="button" data-unit="${escaped(nameOf(unit))}">`
    + `${escaped(nameOf(unit))}</button> ${shown(network.value(unit))}</li>`);
  return `<ol class="chain" aria-label="From this unit back to the ink">${steps.join('')}</ol>`;
}

/** A unit's place in its layer, in words. */
const placeOf = ({ index }) => (index.length === 3
  ? `row ${index[0]}, column ${index[1]}, map ${index[2]}` : `unit ${index[0]}`);

/** The way back to the ink, for those who listen. @param {import('./network.js').Unit[]} units */
export const spokenChain = units =>
  `Back to the ink: ${units.map(unit => `${unit.layer}, ${placeOf(unit)}`).join(', from ')}.`;

/** One sentence for those who listen. */
export function spoken(network, { unit, networkValue, rule }) {
  const { kind, shape } = network.layer(unit.layer);
  return `${unit.layer}, ${kind}, ${placeOf(unit)} of ${shape.join(' by ')}: ${networkValue.toPrecision(4)}, ${rule}.`;
}
