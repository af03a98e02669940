/**
 * Rows are true classes, columns answers. The diagonal is grey by its share of the row; mistakes are
 * orange by theirs, on a scale of their own that ends at the greatest: a good network makes few.
 *
 * @typedef {{counts: number[][], names: string[], shares: boolean,
 *   chosen: number[] | null}} Shown
 */

/** @type {WeakMap<ParentNode, string>} what is built, so that a choice alone builds nothing anew */
const built = new WeakMap();

/** @param {HTMLElement} home @param {Shown} shown */
function build(home, { counts, names, shares }) {
  const head = names.map(() => '<th scope="col"></th>').join('');
  const totals = counts.map(row => row.reduce((sum, each) => sum + each, 0));
  const most = Math.max(1e-9, ...counts.flatMap((row, i) =>
    row.map((count, j) => (i === j || !totals[i] ? 0 : count / totals[i]))));
  home.innerHTML = `<table data-testid="confusion">
    <caption>Rows: what it is. Columns: what the network said, ${shares ? 'as shares of the row' : 'counted'}.
      <span class="scale">Mistakes, of a row: 0 <i></i> ${percentOf(most)}</span></caption>
    <thead><tr><td></td>${head}</tr></thead>
    <tbody>${counts.map((row, i) => `<tr><th scope="row"></th>${row.map((_, j) =>
      `<td><button type="button" data-row="${i}" data-column="${j}" tabindex="${i + j ? -1 : 0}"></button></td>`
    ).join('')}</tr>`).join('')}</tbody></table>`;
  home.querySelectorAll('thead th').forEach((cell, j) => { cell.textContent = names[j]; });
  home.querySelectorAll('tbody th').forEach((cell, i) => { cell.textContent = names[i]; });
  counts.forEach((row, i) => {
    const total = totals[i];
    row.forEach((count, j) => {
      const button = at(home, i, j);
      const share = total ? count / total : 0;
      const strength = i === j ? share : share / most;
      const colour = i === j ? 'currentColor' : 'rgb(213 94 0)';
      const percent = Math.round((i === j ? 18 : 75) * strength);
      button.style.background = `color-mix(in srgb, ${colour} ${percent}%, transparent)`;
      const text = shares ? percentOf(share) : String(count);
      button.textContent = count ? text : '·';
      button.setAttribute('aria-label', `${count} of ${total} ${names[i]} called ${names[j]}`);
    });
  });
}

/** @param {number} share */
function percentOf(share) {
  return `${(100 * share).toFixed(share && share < 0.1 ? 1 : 0)}%`;
}

/** @returns {HTMLButtonElement} */
function at(home, row, column) {
  return home.querySelector(`button[data-row="${row}"][data-column="${column}"]`);
}

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export default function ({ data, parentElement, setStateValue }) {
  const home = /** @type {HTMLElement} */ (parentElement.querySelector('.confusion'));
  const all = JSON.stringify([data.counts, data.names, data.shares]);
  if (built.get(parentElement) !== all) {
    build(home, data);
    built.set(parentElement, all);
  }
  home.querySelectorAll('button').forEach(button => {
    const chosen = data.chosen && Number(button.dataset.row) === data.chosen[0]
      && Number(button.dataset.column) === data.chosen[1];
    button.setAttribute('aria-pressed', String(Boolean(chosen)));
  });
  home.onclick = event => {
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    if (button) setStateValue('pick', [Number(button.dataset.row), Number(button.dataset.column)]);
  };
  home.onkeydown = event => {
    const move = MOVES[event.key];
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    if (!move || !button) return;
    event.preventDefault();
    const next = at(home, Number(button.dataset.row) + move[0], Number(button.dataset.column) + move[1]);
    if (!next) return;
    button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  };
  return () => built.delete(parentElement);
}
