/**
 * Line charts on canvases. The legend reads the newest values, or those under the pointer.
 *
 * @typedef {{name: string, colour: string, dash: string, faint: boolean, marks: boolean,
 *   x: number[], y: (number | null)[]}} Line
 * @typedef {{title: string, percent: boolean, across: string, at: number | null,
 *   lines: Line[]}} Chart
 */

const DASHES = { solid: [], dash: [8, 5], dot: [2, 4], dashdot: [8, 4, 2, 4], longdash: [14, 5] };
const LEFT = 44; // room for the numbers of the axes
const ABOVE = 8;
const BELOW = 18;

/** @type {WeakMap<ParentNode, Curves>} */
const all = new WeakMap();

class Curves {
  /** @param {ParentNode} root */
  constructor(root) {
    this.home = /** @type {HTMLElement} */ (root.querySelector('.curves'));
    this.drawn = /** @type {Curve[]} */ ([]);
    this.observer = new ResizeObserver(() => this.drawn.forEach(curve => curve.draw()));
    this.observer.observe(this.home);
  }

  /** @param {{charts: Chart[]}} shown */
  update(shown) {
    while (this.drawn.length > shown.charts.length) this.drawn.pop().figure.remove();
    while (this.drawn.length < shown.charts.length) this.drawn.push(new Curve(this.home));
    shown.charts.forEach((chart, k) => this.drawn[k].update(chart));
  }
}

class Curve {
  /** @param {HTMLElement} home */
  constructor(home) {
    this.figure = document.createElement('figure');
    this.figure.dataset.testid = 'live-curve';
    this.figure.innerHTML =
      '<div class="title"></div><canvas role="img"></canvas><div class="legend"></div>';
    home.append(this.figure);
    this.title = /** @type {HTMLElement} */ (this.figure.querySelector('.title'));
    this.canvas = /** @type {HTMLCanvasElement} */ (this.figure.querySelector('canvas'));
    this.legend = /** @type {HTMLElement} */ (this.figure.querySelector('.legend'));
    this.at = null; // where the pointer reads, between 0 and 1
    this.canvas.onpointermove = event => {
      const box = this.canvas.getBoundingClientRect();
      this.at = (event.clientX - box.left - LEFT) / (box.width - LEFT);
      this.draw();
    };
    this.canvas.onpointerleave = () => {
      this.at = null;
      this.draw();
    };
  }

  /** @param {Chart} chart */
  update(chart) {
    this.chart = chart;
    this.title.textContent = chart.title;
    const read = chart.lines.filter(line => !line.faint);
    if (this.legend.children.length !== read.length) {
      this.legend.innerHTML = read
        .map(() => '<span><svg viewBox="0 0 24 8" aria-hidden="true"><line x1="0" x2="24" y1="4"' +
          ' y2="4" stroke-width="2.5"></line></svg><i style="font-style:normal"></i></span>')
        .join('');
    }
    this.draw();
  }

  draw() {
    const { canvas, chart } = this;
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!chart || !width) return;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext('2d');
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const ink = getComputedStyle(canvas).color;
    const to = this.scales(width, height);
    this.axes(pen, ink, to, width, height);
    for (const line of chart.lines) this.line(pen, line, to);
    const x = this.at === null ? chart.at : to.unX(Math.min(Math.max(this.at, 0), 1));
    if (x !== null) {
      pen.globalAlpha = 0.4;
      pen.strokeStyle = ink;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(to.x(x), ABOVE);
      pen.lineTo(to.x(x), height - BELOW);
      pen.stroke();
      pen.globalAlpha = 1;
    }
    this.read(x);
  }

  /** From values to places. */
  scales(width, height) {
    const xs = this.chart.lines.flatMap(line => line.x);
    const ys = this.chart.lines.flatMap(line => line.y).filter(y => y !== null);
    const left = Math.min(0, ...xs);
    const right = Math.max(left + 1e-9, ...xs);
    let low = this.chart.percent ? 0 : Math.min(0, ...ys);
    let high = this.chart.percent ? Math.max(0.05, ...ys) : Math.max(low + 1e-9, ...ys);
    const step = nice((high - low) / 3);
    high = Math.min(Math.ceil(high / step - 1e-9) * step, this.chart.percent ? 1 : Infinity);
    return {
      left, right, low, high, step,
      x: value => LEFT + ((value - left) / (right - left)) * (width - LEFT - 6),
      y: value => ABOVE + ((high - value) / (high - low || 1)) * (height - ABOVE - BELOW - 4),
      unX: share => left + share * (right - left),
    };
  }

  axes(pen, ink, to, width, height) {
    pen.strokeStyle = ink;
    pen.fillStyle = ink;
    pen.font = `12px ${getComputedStyle(this.canvas).fontFamily}`;
    pen.lineWidth = 1;
    pen.setLineDash([]);
    pen.textBaseline = 'middle';
    pen.textAlign = 'right';
    for (let y = to.low; y <= to.high + to.step / 1000; y += to.step) {
      pen.globalAlpha = 0.12;
      pen.beginPath();
      pen.moveTo(LEFT, to.y(y));
      pen.lineTo(width, to.y(y));
      pen.stroke();
      pen.globalAlpha = 0.7;
      pen.fillText(this.number(y), LEFT - 6, to.y(y));
    }
    pen.textBaseline = 'bottom';
    pen.textAlign = 'left';
    pen.fillText(this.plain(to.left), LEFT, height);
    pen.textAlign = 'right';
    pen.fillText(`${this.chart.across} ${this.plain(to.right)}`, width, height);
    pen.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} pen @param {Line} line */
  line(pen, line, to) {
    pen.strokeStyle = line.colour;
    pen.fillStyle = line.colour;
    pen.lineWidth = line.faint ? 1 : 2;
    pen.globalAlpha = line.faint ? 0.3 : 1;
    pen.setLineDash(DASHES[line.dash] ?? []);
    pen.beginPath();
    let down = false;
    line.x.forEach((x, k) => {
      const y = line.y[k];
      if (y === null) {
        down = false;
        return;
      }
      if (down) pen.lineTo(to.x(x), to.y(y));
      else pen.moveTo(to.x(x), to.y(y));
      down = true;
      if (line.marks) pen.fillRect(to.x(x) - 2.5, to.y(y) - 2.5, 5, 5);
    });
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  /** Say the values at x, or the newest ones, in the legend. @param {number | null} x */
  read(x) {
    const said = [];
    this.chart.lines.filter(line => !line.faint).forEach((line, k) => {
      const entry = this.legend.children[k];
      const mark = entry.querySelector('line');
      mark.setAttribute('stroke', line.colour);
      mark.setAttribute('stroke-dasharray', (DASHES[line.dash] ?? []).join(' '));
      const known = line.x.map((at, j) => [at, line.y[j]]).filter(([, y]) => y !== null);
      const near = x === null
        ? known.at(-1)
        : known.reduce((a, b) => (a && Math.abs(a[0] - x) <= Math.abs(b[0] - x) ? a : b), null);
      const text = near ? `${line.name} ${this.number(near[1])}` : line.name;
      entry.querySelector('i').textContent = text;
      said.push(text);
    });
    this.canvas.setAttribute('aria-label', `${this.chart.title}: ${said.join(', ')}`);
  }

  /** A place on the way across. @param {number} value */
  plain(value) {
    return Number(value.toPrecision(6)).toLocaleString('en').replace('-', '\u2212');
  }

  /** @param {number} value */
  number(value) {
    if (this.chart.percent && value > 0 && value < 0.001) return '<0.1%';
    const text = this.chart.percent
      ? `${Number((100 * value).toPrecision(3))}%`
      : String(Number(value.toPrecision(3)));
    return text.replace('-', '\u2212');
  }
}

/** The next of 1, 2, 5, 10, … above a span. @param {number} span */
function nice(span) {
  const power = 10 ** Math.floor(Math.log10(span || 1));
  const share = span / power;
  return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

export default function ({ data, parentElement }) {
  if (!all.has(parentElement)) all.set(parentElement, new Curves(parentElement));
  all.get(parentElement).update(data);
  return () => {
    all.get(parentElement)?.observer.disconnect();
    all.delete(parentElement);
  };
}
