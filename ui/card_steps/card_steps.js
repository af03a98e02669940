/**
 * Steps through cards: Back and Next, a dot for each card of the lesson, and keys. The arrows turn
 * the card wherever one is on the page, but not where they mean something else: in a field, on a
 * slider, in a picture that is walked through by them. 1 to 4 answer a question that waits.
 *
 * @typedef {{at: number, total: number, first: number, dots: [string, boolean][], answers: number,
 *   words: {back: string, next: string, card: string, done: string}}} Shown
 */

const PATIENCE = 3000; // milliseconds for the page to come to a card that was asked for
const WALKED = 'input, textarea, select, [contenteditable], [role=application], [role=slider], '
  + '[role=listbox], [role=combobox], [role=radiogroup], [role=menu], [role=grid], [role=tablist], '
  + '[data-testid=stButtonGroup], [data-testid=stDataFrame], dialog';
const TYPED = 'input:not([type=range]), textarea, select, [contenteditable], [role=combobox], dialog';
const ARROW = d => `<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><path d="${d}"
  fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"
  stroke-linejoin="round"/></svg>`;

/** Whether what a key was pressed in, or anything around it, is one of these. */
function inside(event, selector) {
  return event.composedPath().some(one => one instanceof Element && one.matches(selector));
}

class Steps {
  /** @param {ParentNode} root */
  constructor(root) {
    this.root = /** @type {HTMLElement} */ (root.querySelector('.steps'));
    this.root.innerHTML = `
      <button type="button" class="turn" data-testid="card-back">${ARROW('M10 3L5 8l5 5')}<span></span></button>
      <ol></ol>
      <button type="button" class="turn on" data-testid="card-next"><span></span>${ARROW('M6 3l5 5-5 5')}</button>
      <div class="spoken" aria-live="polite"></div>`;
    [this.back, this.next] = this.root.querySelectorAll('.turn');
    this.list = this.root.querySelector('ol');
    this.back.onclick = () => this.turn(-1);
    this.next.onclick = () => this.turn(1);
    this.listener = event => this.key(event);
    document.addEventListener('keydown', this.listener);
    this.wanted = -1; // asked for, and not there yet
    this.asked = 0;
  }

  /** @param {Shown} shown @param {(name: string, value: number) => void} send */
  update(shown, send) {
    const moved = this.shown && this.shown.at !== shown.at;
    this.shown = shown;
    this.send = send;
    if (this.wanted === shown.at) this.wanted = -1;
    const { words } = shown;
    this.root.setAttribute('aria-label', words.card);
    this.back.querySelector('span').textContent = words.back;
    this.next.querySelector('span').textContent = words.next;
    this.back.disabled = shown.at <= 0;
    this.next.disabled = shown.at >= shown.total - 1;
    const focused = this.list.contains(this.list.getRootNode().activeElement);
    this.list.replaceChildren(...shown.dots.map(([title, done], k) => this.dot(title, done, k)));
    if (focused) this.list.querySelector('[aria-current]')?.focus();
    if (moved) {
      this.root.scrollIntoView({ block: 'nearest' });
      const here = shown.at - shown.first;
      const title = shown.dots[here]?.[0];
      this.root.querySelector('.spoken').textContent = title ? `${words.card} ${here + 1}: ${title}` : '';
    }
    this.root.dataset.at = String(shown.at);
  }

  dot(title, done, k) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    const { words, first, at } = this.shown;
    button.type = 'button';
    button.className = `dot${done ? ' done' : ''}`;
    button.title = title;
    button.setAttribute('aria-label', `${words.card} ${k + 1}: ${title}${done ? `, ${words.done}` : ''}`);
    if (first + k === at) button.setAttribute('aria-current', 'step');
    button.innerHTML = '<i></i>';
    button.onclick = () => this.go(first + k);
    item.append(button);
    return item;
  }

  /** From the card that is on its way, if one is. @param {number} by */
  turn(by) {
    const under = this.wanted >= 0 && performance.now() - this.asked < PATIENCE;
    this.go((under ? this.wanted : this.shown.at) + by);
  }

  /** @param {number} place */
  go(place) {
    if (place < 0 || place >= this.shown.total) return;
    this.wanted = place;
    this.asked = performance.now();
    this.send('go', place);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) {
      return;
    }
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (turn && !inside(event, WALKED)) {
      event.preventDefault();
      event.stopImmediatePropagation(); // the presenter's arrows would turn it again
      this.turn(turn);
      return;
    }
    const answer = '1234'.indexOf(event.key);
    if (answer >= 0 && answer < this.shown.answers && !inside(event, TYPED)) {
      event.preventDefault();
      this.send('answer', answer);
    }
  }

  leave() {
    document.removeEventListener('keydown', this.listener);
  }
}

/** @type {WeakMap<ParentNode, Steps>} */
const all = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!all.has(parentElement)) all.set(parentElement, new Steps(parentElement));
  all.get(parentElement).update(data, setTriggerValue);
  return () => {
    all.get(parentElement)?.leave(); // Streamlit may say it twice
    all.delete(parentElement);
  };
}
