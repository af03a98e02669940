/** What stands around the picture: the bar, the legend, the places for what is explained. */

import { rampOf } from './picture.js';

export const FRAME = `
  <div class="bar">
    <div class="legend"></div>
    <label class="scale">Colours
      <select data-testid="view-scale">
        <option value="shared">one scale a layer</option><option value="map">each map its own</option>
      </select>
    </label>
    <span class="zoom" role="group" aria-label="Zoom">
      <button type="button" data-testid="zoom-out" aria-label="Smaller">−</button>
      <button type="button" data-testid="zoom-in" aria-label="Larger">+</button>
    </span>
    <label class="goto">Unit
      <input data-testid="unit-goto" spellcheck="false" autocomplete="off"
        placeholder="conv_1[3, 4, 5]">
    </label>
    <details class="keys"><summary>Keys</summary><dl>
      <dt>← ↑ ↓ →</dt><dd>Another cell</dd>
      <dt>Shift ↑ ↓</dt><dd>Another map</dd>
      <dt>Shift ← →</dt><dd>A layer back, to what decided; a layer on</dd>
      <dt>Enter, Esc</dt><dd>Keep this unit; let it go</dd>
      <dt>W</dt><dd>Why this number: back to the ink</dd>
      <dt>Space</dt><dd>The window slides, or pauses</dd>
      <dt>, .</dt><dd>One cell back, one on</dd>
      <dt>− +</dt><dd>Smaller, larger</dd>
    </dl></details>
  </div>
  <div class="stage" tabindex="0" role="application" data-testid="view-stage"
    aria-roledescription="network view">
    <div class="world"><canvas class="picture"></canvas><canvas class="over"></canvas>
      <div class="names"></div></div>
  </div>
  <p class="trouble" role="alert" data-testid="view-trouble" hidden></p>
  <div class="detail">
    <div class="left"><div class="closeup"></div><div class="player"></div></div>
    <div class="readout" data-testid="view-readout" tabindex="0" aria-label="The calculation"></div>
  </div>
  <div class="spoken" aria-live="polite"></div>`;

const LINES = `<span>× dead</span><span>\u2571 off</span>
  <span title="A line's colour is the sign of its weight, of a kernel the sign of its sum; its width
is the size, of a kernel its norm.">weight <i class="edge" style="background:var(--minus)"></i>−
  <i class="edge" style="background:var(--plus)"></i>+</span>`;

export const HINT = `<p class="hint">Point at any cell to see where its number comes from. Click or press
  Enter to keep it; arrow keys move. Shift with the arrows steps a layer back or on, or to another
  map. Space lets the window slide, W asks why.</p>`;

const ENDS = { ink: ['paper', 'ink'], activation: ['0', 'most'], signed: ['−', '+'] };

/** One legend a colour scale. @param {Set<string>} used */
export function legendOf(used) {
  return Object.entries(ENDS)
    .filter(([scale]) => used.has(scale))
    .map(([scale, [least, most]]) => `<span>${least}<i style="background:${rampOf(scale)}"></i>${most}</span>`)
    .join('') + LINES;
}
