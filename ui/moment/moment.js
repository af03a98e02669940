/**
 * A slider over a film's frames, with the accuracy at each drawn above it, and a play button.
 *
 * A frame is asked for only when the one before has come back: a slow page drops frames, it does
 * not pile them up.
 *
 * @typedef {{network: string, steps: number[], accuracy: number[], step: number}} Film
 */

const FASTEST = 180; // milliseconds from one frame to the next
const PLAY = '<path d="M5 3l11 7-11 7z" fill="currentColor"/>';
const PAUSE = '<path d="M5 3h4v14H5zM12 3h4v14h-4z" fill="currentColor"/>';

/** @type {WeakMap<ParentNode, Moment>} */
const moments = new WeakMap();

class Moment {
  /** @param {ParentNode} root */
  constructor(root) {
    this.root = /** @type {HTMLElement} */ (root.querySelector('.moment'));
    this.root.innerHTML = `
      <div class="read" data-testid="moment-read"><span></span><span></span></div>
      <svg class="curve" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <polyline></polyline><line y1="0" y2="100"></line>
      </svg>
      <div class="row">
        <button type="button" data-testid="moment-play"></button>
        <input type="range" min="0" step="1" aria-label="Training step" data-testid="moment-range">
      </div>`;
    this.range = /** @type {HTMLInputElement} */ (this.root.querySelector('input'));
    this.button = /** @type {HTMLButtonElement} */ (this.root.querySelector('button'));
    this.playing = false;
    this.wanted = -1; // the frame asked for, as an index; -1 when nothing is under way
    this.next = -1; // the frame to ask for after that
    this.asked = 0; // when it was asked for
    this.timer = 0;
    this.range.oninput = () => { this.stop(); this.choose(Number(this.range.value)); };
    this.button.onclick = () => (this.playing ? this.stop() : this.play());
  }

  /** Take over what the page knows. @param {Film} film @param {(name: string, value: number) => void} send */
  update(film, send) {
    if (this.film && this.film.network !== film.network) this.stop();
    this.film = film;
    this.send = send;
    const here = film.steps.indexOf(film.step);
    this.range.max = String(film.steps.length - 1);
    if (this.wanted === here || this.wanted < 0) {
      this.wanted = -1;
      if (this.next >= 0 && this.next !== here) this.choose(this.next);
      else {
        this.next = -1;
        if (this.playing) this.later(here + 1);
      }
    }
    this.draw(this.wanted >= 0 ? this.wanted : here);
  }

  /** Ask the page for a frame, or remember it until the page has answered. @param {number} index */
  choose(index) {
    this.draw(index);
    if (this.wanted >= 0 && performance.now() - this.asked < 3000) {
      this.next = index;
      return;
    }
    this.next = -1;
    if (this.film.steps[index] === this.film.step) return;
    this.wanted = index;
    this.asked = performance.now();
    this.send('step', this.film.steps[index]);
  }

  play() {
    const last = this.film.steps.length - 1;
    const here = this.film.steps.indexOf(this.film.step);
    this.playing = true;
    this.draw(here);
    this.choose(here === last ? 0 : here + 1);
  }

  /** The next frame, not faster than the eye. @param {number} index */
  later(index) {
    clearTimeout(this.timer);
    if (index >= this.film.steps.length) return this.stop();
    const wait = Math.max(0, FASTEST - (performance.now() - this.asked));
    this.timer = setTimeout(() => this.playing && this.choose(index), wait);
  }

  stop() {
    this.playing = false;
    this.next = -1;
    clearTimeout(this.timer);
    if (this.film) this.draw(Number(this.range.value));
  }

  /** @param {number} index */
  draw(index) {
    const { steps, accuracy } = this.film;
    const last = Math.max(steps.length - 1, 1);
    const [step, right] = this.root.querySelectorAll('.read span');
    step.textContent = `Step ${steps[index].toLocaleString('en')}`;
    right.textContent = `${(100 * accuracy[index]).toFixed(1)}% right`;
    const points = accuracy.map((share, k) => `${(100 * k) / last},${100 - 100 * share}`);
    this.root.querySelector('polyline').setAttribute('points', points.join(' '));
    const mark = this.root.querySelector('line');
    for (const end of ['x1', 'x2']) mark.setAttribute(end, String((100 * index) / last));
    this.range.value = String(index);
    this.range.setAttribute('aria-valuetext', `${step.textContent}, ${right.textContent}`);
    const icon = this.playing ? PAUSE : PLAY;
    if (this.icon !== icon) {
      this.icon = icon;
      this.button.innerHTML = `<svg width="18" height="18" viewBox="0 0 20 20">${icon}</svg>`;
      this.button.setAttribute('aria-label', this.playing ? 'Pause' : 'Play the training');
    }
  }
}

export default function ({ data, parentElement, setStateValue }) {
  if (!moments.has(parentElement)) moments.set(parentElement, new Moment(parentElement));
  const moment = moments.get(parentElement);
  moment.update(data, setStateValue);
  return () => {
    moment.stop();
    moments.delete(parentElement);
  };
}
