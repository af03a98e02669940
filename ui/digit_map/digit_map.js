/**
 * Test images as points in the plane. A point is its class as a figure in its class's colour, so
 * that nobody has to tell ten colours apart; what the network gets wrong is ringed.
 *
 * Nothing but a chosen image goes back to the server.
 *
 * @typedef {{image: string, places: number[][], words: string}} Own
 * @typedef {{sheet: string, columns: number, side: number, numbers: number[], labels: number[],
 *   names: string[], noun: string, steps: number[], points: number[][], answers: number[][],
 *   own: Own}} Shown
 */

const WHOLE = 10000; // a coordinate of 1
const REACH = 18; // screen pixels within which a point is pointed at
const MOVE = 600; // milliseconds from one moment to the next
const REST = 300;
const MOST_ZOOM = 24;
// Ten that stay apart on light and on dark ground; the figures do the rest.
const COLOURS = ['#2f7fc1', '#d55e00', '#009e73', '#c0609a', '#b8860b', '#7a5bc0', '#d03b3b',
  '#3d9aa8', '#7f7f7f', '#5d8a1e'];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class DigitMap {
  /** @param {ParentNode} root */
  constructor(root) {
    this.home = /** @type {HTMLElement} */ (root.querySelector('.map'));
    this.home.innerHTML = `
      <div class="plane">
        <canvas tabindex="0" role="application" data-testid="map"></canvas>
        <div class="zoom">
          <button type="button" data-zoom="1.5" aria-label="Zoom in">+</button>
          <button type="button" data-zoom="0.667" aria-label="Zoom out">−</button>
          <button type="button" data-zoom="0" aria-label="Show all">⤢</button>
        </div>
        <div class="film">
          <button type="button" class="play" data-testid="map-play"></button>
          <input type="range" min="0" step="1" aria-label="Training step" data-testid="map-range">
          <span data-testid="map-step"></span>
        </div>
      </div>
      <div class="side">
        <div class="seen" aria-live="polite" data-testid="map-seen"><i></i><span></span></div>
        <div class="legend" role="group" aria-label="Show one class"></div>
      </div>`;
    this.canvas = /** @type {HTMLCanvasElement} */ (this.home.querySelector('canvas'));
    this.range = /** @type {HTMLInputElement} */ (this.home.querySelector('input'));
    this.button = /** @type {HTMLButtonElement} */ (this.home.querySelector('.play'));
    this.view = { zoom: 1, x: 0, y: 0 };
    this.at = 0; // the moment, between two while it moves
    this.pointed = -1;
    this.only = -1; // the class that alone is shown
    this.listen();
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.canvas);
  }

  /** Take over what the page knows. @param {Shown} shown */
  update(shown, send) {
    this.send = send;
    const laidOut = JSON.stringify([shown.steps, shown.numbers.length, shown.noun]);
    if (laidOut !== this.laidOut) {
      this.laidOut = laidOut;
      this.stop();
      this.at = shown.steps.length - 1;
      this.pointed = -1;
      this.only = -1;
      this.view = { zoom: 1, x: 0, y: 0 };
    }
    this.shown = shown;
    this.range.max = String(shown.steps.length - 1);
    const film = /** @type {HTMLElement} */ (this.home.querySelector('.film'));
    film.style.display = shown.steps.length < 2 ? 'none' : '';
    this.canvas.setAttribute('aria-label', `Map of ${shown.numbers.length} test ${shown.noun}s. `
      + 'Arrow keys go to the next one that way, Enter opens it, plus and minus zoom, '
      + 'Home goes to your own.');
    this.legend();
    this.read();
    this.draw();
  }

  legend() {
    const home = this.home.querySelector('.legend');
    if (home.childElementCount !== this.shown.names.length
        || home.textContent !== this.legendText) {
      home.textContent = '';
      this.shown.names.forEach((name, k) => {
        const button = document.createElement('button');
        button.type = 'button';
        const figure = document.createElement('b');
        figure.style.color = COLOURS[k % COLOURS.length];
        figure.textContent = String(k);
        button.append(figure);
        if (name !== String(k)) button.append(name);
        button.setAttribute('aria-label', `Only class ${name}`);
        button.onclick = () => { this.only = this.only === k ? -1 : k; this.press(); this.draw(); };
        home.append(button);
      });
      this.legendText = home.textContent;
    }
    this.press();
  }

  press() {
    this.home.querySelectorAll('.legend button').forEach((button, k) =>
      button.setAttribute('aria-pressed', String(this.only === k)));
  }

  // Where things are

  /** A point of a moment that may lie between two, in [−1, 1]. @param {number[][]} places */
  between(places, k) {
    const low = Math.floor(this.at), high = Math.min(low + 1, places.length - 1);
    const share = this.at - low;
    const eased = share * share * (3 - 2 * share);
    return [0, 1].map(axis => {
      const from = places[low][2 * k + axis], to = places[high][2 * k + axis];
      return (from + (to - from) * eased) / WHOLE;
    });
  }

  /** Screen pixels of a place. @param {number[]} place */
  screen([x, y]) {
    const { width, height } = this.box;
    const scale = (Math.min(width, height) / 2 - 24) * this.view.zoom;
    return [width / 2 + (x - this.view.x) * scale, height / 2 - (y - this.view.y) * scale];
  }

  /** The nearest point to a place on the screen; -1 if none is near enough, -2 for one's own. */
  nearest(x, y, reach) {
    let best = reach * reach, found = -1;
    const look = (k, place) => {
      const [px, py] = this.screen(place);
      const far = (px - x) ** 2 + (py - y) ** 2;
      if (far < best) [best, found] = [far, k];
    };
    this.shown.labels.forEach((label, k) => {
      if (this.only < 0 || this.only === label) look(k, this.between(this.shown.points, k));
    });
    look(-2, this.between(this.shown.own.places, 0));
    return found;
  }

  // What is done

  listen() {
    let drag = null;
    this.canvas.onpointerdown = event => {
      this.canvas.setPointerCapture(event.pointerId);
      drag = { x: event.offsetX, y: event.offsetY, moved: false, before: this.pointed };
    };
    this.canvas.onpointermove = event => {
      if (drag && event.buttons) {
        const dx = event.offsetX - drag.x, dy = event.offsetY - drag.y;
        if (!drag.moved && Math.hypot(dx, dy) < 6) return;
        drag.moved = true;
        const { width, height } = this.box;
        const scale = (Math.min(width, height) / 2 - 24) * this.view.zoom;
        this.pan(-dx / scale, dy / scale);
        [drag.x, drag.y] = [event.offsetX, event.offsetY];
      } else this.point(this.nearest(event.offsetX, event.offsetY, REACH));
    };
    this.canvas.onpointerup = event => {
      if (drag && !drag.moved) {
        const found = this.nearest(event.offsetX, event.offsetY, REACH);
        // A finger points first, and opens what it has pointed at.
        if (event.pointerType === 'mouse' || found === drag.before) this.open(found);
        this.point(found);
      }
      drag = null;
    };
    this.canvas.onpointercancel = () => { drag = null; };
    this.canvas.onwheel = event => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2);
    };
    this.canvas.onkeydown = event => this.key(event);
    this.home.querySelector('.zoom').onclick = event => {
      const factor = /** @type {HTMLElement} */ (event.target).dataset.zoom;
      if (factor !== undefined) this.zoom(Number(factor));
    };
    this.range.oninput = () => {
      const wanted = Number(this.range.value); // stopping sets it back
      this.stop();
      this.at = wanted;
      this.read();
      this.draw();
    };
    this.button.onclick = () => (this.playing ? this.stop() : this.play());
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (moves[event.key]) this.step(moves[event.key]);
    else if (event.key === 'Enter') this.open(this.pointed);
    else if (event.key === 'Home') this.point(-2);
    else if (event.key === '+' || event.key === '=') this.zoom(1.5);
    else if (event.key === '-') this.zoom(1 / 1.5);
    else return;
    event.preventDefault();
  }

  /** To the nearest point that lies that way. @param {number[]} way */
  step([right, down]) {
    const own = this.between(this.shown.own.places, 0);
    const [x, y] = this.screen(this.pointed >= 0 ? this.between(this.shown.points, this.pointed) : own);
    let best = Infinity, found = this.pointed;
    this.shown.labels.forEach((label, k) => {
      if (k === this.pointed || (this.only >= 0 && this.only !== label)) return;
      const [px, py] = this.screen(this.between(this.shown.points, k));
      const along = (px - x) * right + (py - y) * down;
      const aside = Math.abs((px - x) * down) + Math.abs((py - y) * right);
      if (along > 0 && aside <= along && along + aside < best) [best, found] = [along + aside, k];
    });
    this.point(found);
  }

  /** @param {number} k */
  point(k) {
    if (k === this.pointed) return;
    this.pointed = k;
    this.read();
    this.draw();
  }

  /** @param {number} k */
  open(k) {
    if (k >= 0) this.send('pick', this.shown.numbers[k]);
  }

  /** @param {number} factor 0 shows all */
  zoom(factor) {
    const here = this.pointed >= 0 ? this.between(this.shown.points, this.pointed) : [this.view.x, this.view.y];
    const zoom = factor ? clamp(this.view.zoom * factor, 1, MOST_ZOOM) : 1;
    this.view = zoom === 1 ? { zoom, x: 0, y: 0 } : { zoom, x: here[0], y: here[1] };
    this.draw();
  }

  pan(dx, dy) {
    if (this.view.zoom === 1) return;
    this.view.x = clamp(this.view.x + dx, -1, 1);
    this.view.y = clamp(this.view.y + dy, -1, 1);
    this.draw();
  }

  play() {
    const last = this.shown.steps.length - 1;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (this.at >= last) this.at = 0;
    this.playing = true;
    let began = performance.now(), from = this.at;
    const frame = now => {
      if (!this.playing) return;
      const spent = Math.max(0, now - began); // a frame may have begun before the click
      const share = calm ? (spent >= MOVE ? 1 : 0) : Math.min(1, spent / MOVE);
      this.at = Math.min(last, from + share);
      if (spent >= MOVE + REST) [began, from] = [now, this.at];
      this.read();
      this.draw();
      if (this.at >= last) this.stop();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    this.read();
  }

  stop() {
    this.playing = false;
    if (this.shown) {
      this.at = Math.round(this.at);
      this.read();
      this.draw();
    }
  }

  // What is seen

  read() {
    const { shown, pointed } = this;
    const moment = Math.round(this.at);
    this.range.value = String(moment);
    const step = `Step ${shown.steps[moment].toLocaleString('en')}`;
    this.home.querySelector('.film span').textContent = step;
    this.range.setAttribute('aria-valuetext', step);
    this.button.textContent = this.playing ? '❚❚' : '►';
    this.button.setAttribute('aria-label', this.playing ? 'Pause' : 'Play the training');
    const picture = /** @type {HTMLElement} */ (this.home.querySelector('.seen i'));
    const words = this.home.querySelector('.seen span');
    const scale = 84 / shown.side;
    if (pointed >= 0) {
      const { names, labels, numbers, answers } = shown;
      const answer = answers[moment][pointed];
      const said = answer === labels[pointed] ? 'rightly said' : `called ${names[answer]}`;
      words.textContent = `Test ${shown.noun} ${numbers[pointed]}: ${names[labels[pointed]]}, ${said}`;
      const column = pointed % shown.columns, row = Math.floor(pointed / shown.columns);
      Object.assign(picture.style, {
        backgroundImage: `url(${shown.sheet})`,
        backgroundSize: `${84 * shown.columns}px auto`,
        backgroundPosition: `${-84 * column}px ${-scale * shown.side * row}px`,
      });
    } else {
      words.textContent = shown.own.words;
      Object.assign(picture.style, {
        backgroundImage: `url(${shown.own.image})`, backgroundSize: '84px 84px', backgroundPosition: '0 0',
      });
    }
    this.home.dataset.pointed = String(pointed);
  }

  draw() {
    if (!this.shown) return;
    const box = this.canvas.getBoundingClientRect();
    if (!box.width) return;
    this.box = box;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const paint = this.canvas.getContext('2d');
    const style = getComputedStyle(this.home);
    paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint.clearRect(0, 0, box.width, box.height);
    const size = clamp(10 + 2 * this.view.zoom, 12, 22);
    paint.font = `600 ${size}px ${style.fontFamily}`;
    paint.textAlign = 'center';
    paint.textBaseline = 'middle';
    const answers = this.shown.answers[Math.round(this.at)];
    this.shown.labels.forEach((label, k) => {
      const [x, y] = this.screen(this.between(this.shown.points, k));
      paint.globalAlpha = this.only < 0 || this.only === label ? 0.9 : 0.1;
      paint.fillStyle = COLOURS[label % COLOURS.length];
      paint.fillText(String(label), x, y);
      if (answers[k] !== label) {
        paint.strokeStyle = style.color;
        paint.lineWidth = 1;
        paint.beginPath();
        paint.arc(x, y, size * 0.62, 0, 2 * Math.PI);
        paint.stroke();
      }
    });
    paint.globalAlpha = 1;
    this.ring(style, this.between(this.shown.own.places, 0), size, true);
    if (this.pointed >= 0) this.ring(style, this.between(this.shown.points, this.pointed), size, false);
  }

  /** The accent: the digit under the lens, filled, and what is pointed at. */
  ring(style, place, size, filled) {
    const paint = this.canvas.getContext('2d');
    const [x, y] = this.screen(place);
    paint.strokeStyle = paint.fillStyle = style.getPropertyValue('--st-primary-color');
    paint.lineWidth = 3;
    paint.beginPath();
    paint.arc(x, y, size * (filled ? 0.5 : 0.85), 0, 2 * Math.PI);
    if (filled) {
      paint.fill();
      paint.strokeStyle = style.getPropertyValue('--st-background-color');
      paint.lineWidth = 2;
    }
    paint.stroke();
  }

  leave() {
    this.playing = false;
    this.sizes.disconnect();
  }
}

/** @type {WeakMap<ParentNode, DigitMap>} */
const maps = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!maps.has(parentElement)) maps.set(parentElement, new DigitMap(parentElement));
  maps.get(parentElement).update(data, setTriggerValue);
  return () => {
    maps.get(parentElement)?.leave(); // Streamlit may say it twice
    maps.delete(parentElement);
  };
}
