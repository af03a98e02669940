/**
 * The layers of a design, one row each. Change a setting, move a row with its handle or with
 * Alt and an arrow key, take it out, add another: every change goes to the server, which answers
 * with shapes, parameters, and the row where the network breaks, if it does.
 *
 * @typedef {{name: string, label: string, default: number|string, least: number, most: number,
 *   step: number, choices: string[]}} Field
 * @typedef {{kind: string, title: string, fields: Field[]}} Kind
 * @typedef {Record<string, number|string>} Row
 * @typedef {{revision: number, layers: Row[], parts: {shape: string, parameters: number}[],
 *   input: string, output: {shape: string, parameters: number|null}, broken: number|null,
 *   why: string, kinds: Kind[], most: number}} Shown
 */

// A new layer that reads maps goes before what makes them a row; any other at the end.
const READS_MAPS = ['conv', 'pool', 'residual'];
const FLATTENING = ['flatten', 'average'];
const PATIENCE = 250; // ms without a key before a number that is being typed is sent

const safe = text => text.replace(/[&<>"]/g, letter => `&#${letter.charCodeAt(0)};`);
const count = value => (value === null ? '' : value.toLocaleString('en'));

class Editor {
  /** @param {ParentNode} root */
  constructor(root) {
    this.home = /** @type {HTMLElement} */ (root.querySelector('.layers'));
    this.home.innerHTML = `
      <div class="head" aria-hidden="true"><span></span><span>Layer</span><span>Settings</span>
        <span>Output</span><span>Parameters</span><span></span></div>
      <div class="given" data-testid="layer-input"><span></span><b>Image</b><span></span>
        <span class="shape"></span><span class="count">0</span><span></span></div>
      <ol data-testid="layer-rows"></ol>
      <div class="given" data-testid="layer-output"><span></span><b>Output</b>
        <span>Dense 10, softmax</span><span class="shape"></span><span class="count"></span>
        <span></span><p class="why" role="status"></p></div>
      <div class="add" role="group" aria-label="Add a layer"></div>
      <p class="said" role="status"></p>`;
    this.rows = this.home.querySelector('ol');
    this.revision = 0;
    this.built = '';
    this.home.querySelector('.add').addEventListener('click', event => {
      const kind = /** @type {HTMLElement} */ (event.target).closest('button')?.dataset.kind;
      if (kind) this.add(kind);
    });
    this.rows.addEventListener('click', event => this.press(event));
    this.rows.addEventListener('input', event => this.typing(event));
    this.rows.addEventListener('change', event => this.changed(event));
    this.rows.addEventListener('keydown', event => this.key(event));
    this.rows.addEventListener('pointerdown', event => this.grab(event));
  }

  /** @param {Shown} shown */
  update(shown, send) {
    this.post = send;
    if (shown.revision < this.revision || this.dragged) return; // an answer to an older edit
    this.shown = shown;
    this.revision = shown.revision;
    this.layers = shown.layers.map(row => ({ ...row }));
    this.kinds = new Map(shown.kinds.map(kind => [kind.kind, kind]));
    const add = this.home.querySelector('.add');
    if (!add.children.length)
      add.innerHTML = shown.kinds
        .map(kind => `<button type="button" data-kind="${kind.kind}">+ ${kind.title}</button>`)
        .join('');
    this.draw();
  }

  /** Rows are made anew only when their kinds change, so that a field keeps its focus. */
  draw() {
    const kinds = this.layers.map(row => row.kind).join();
    if (kinds !== this.built) {
      this.rows.innerHTML = this.layers.map((row, at) => this.row(row, at)).join('');
      this.built = kinds;
    }
    const { parts, broken, why, output, input } = this.shown;
    [...this.rows.children].forEach((line, at) => {
      const part = parts[at];
      const wrong = broken === at;
      line.classList.toggle('broken', wrong);
      line.classList.toggle('beyond', broken !== null && at > broken);
      line.querySelector('.shape').textContent = part?.shape ?? '';
      line.querySelector('.count').textContent = count(part?.parameters ?? null);
      line.querySelector('.why').textContent = wrong ? why : '';
      for (const field of line.querySelectorAll('[data-field]')) {
        const value = String(this.layers[at][field.dataset.field]);
        if (field.value !== value && field.getRootNode().activeElement !== field)
          field.value = value;
      }
    });
    this.home.querySelector('[data-testid=layer-input] .shape').textContent = input;
    const end = this.home.querySelector('[data-testid=layer-output]');
    end.classList.toggle('broken', broken === this.layers.length);
    end.classList.toggle('beyond', broken !== null && broken < this.layers.length);
    end.querySelector('.shape').textContent = broken === null ? output.shape : '';
    end.querySelector('.count').textContent = count(output.parameters);
    end.querySelector('.why').textContent = broken === this.layers.length ? why : '';
    for (const button of this.home.querySelectorAll('.add button'))
      button.disabled = this.layers.length >= this.shown.most;
  }

  /** @param {Row} row */
  row(row, at) {
    const kind = this.kinds.get(String(row.kind));
    const name = `${kind.title}, layer ${at + 1}`;
    const fields = kind.fields.map(field => {
      const common = `data-field="${field.name}" aria-label="${safe(name)}, ${field.label}"`;
      const control = field.choices.length
        ? `<select ${common}>${field.choices
          .map(choice => `<option${choice === row[field.name] ? ' selected' : ''}>${choice}</option>`)
          .join('')}</select>`
        : `<input type="number" inputmode="decimal" ${common} min="${field.least}"
            max="${field.most}" step="${field.step}" value="${row[field.name]}">`;
      return `<label>${field.label} ${control}</label>`;
    });
    return `<li data-at="${at}" data-testid="layer-row">
      <button type="button" class="handle" data-do="move" title="Move: drag, or Alt and ↑ ↓"
        aria-label="Move ${safe(name)}: Alt and an arrow key">⠿</button>
      <b>${kind.title}</b><span class="fields">${fields.join('')}</span>
      <span class="shape"></span><span class="count"></span>
      <button type="button" class="out" data-do="remove" aria-label="Take out ${safe(name)}">✕</button>
      <p class="why" role="status"></p></li>`;
  }

  /** A new row, with its usual settings. @param {string} kind */
  add(kind) {
    const fields = this.kinds.get(kind).fields;
    const flat = this.layers.findIndex(row => FLATTENING.includes(String(row.kind)));
    const at = READS_MAPS.includes(kind) && flat >= 0 ? flat : this.layers.length;
    const row = { kind, ...Object.fromEntries(fields.map(f => [f.name, f.default])) };
    this.layers.splice(at, 0, row);
    this.send(`${this.kinds.get(kind).title} added as layer ${at + 1}.`);
  }

  /** @param {MouseEvent} event */
  press(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest('button[data-do=remove]');
    if (!button) return;
    const at = this.at(button);
    const [gone] = this.layers.splice(at, 1);
    this.send(`${this.kinds.get(String(gone.kind)).title} taken out.`);
    const next = this.rows.children[Math.min(at, this.layers.length - 1)];
    /** @type {HTMLElement} */ (next?.querySelector('.out'))?.focus();
  }

  /** @param {Event} event */
  typing(event) {
    const field = event.target; // once the event is over, it names the component as a whole
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.take(field), PATIENCE);
  }

  /** @param {Event} event */
  changed(event) {
    clearTimeout(this.waiting);
    this.take(event.target);
  }

  /** A field's value, if it may be. @param {EventTarget} target */
  take(target) {
    const field = /** @type {HTMLInputElement} */ (target);
    if (!field.dataset.field || !field.isConnected) return;
    const number = field.type === 'number';
    const good = !number || (field.value !== '' && field.validity.valid);
    field.setAttribute('aria-invalid', String(!good));
    if (!good) {
      this.say(`${field.getAttribute('aria-label')}: from ${field.min} to ${field.max}.`);
      return;
    }
    const row = this.layers[this.at(field)];
    const value = number ? Number(field.value) : field.value;
    if (row[field.dataset.field] === value) return;
    row[field.dataset.field] = value;
    this.send('');
  }

  /** Alt and an arrow move the row that has the focus. @param {KeyboardEvent} event */
  key(event) {
    const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const target = /** @type {HTMLElement} */ (event.target);
    if (!way || !(event.altKey || target.dataset.do === 'move')) return;
    event.preventDefault();
    const to = this.at(target) + way;
    if (to < 0 || to >= this.layers.length) return;
    this.move(this.at(target), to);
    this.send(`Now layer ${to + 1} of ${this.layers.length}.`);
    this.rows.children[to].querySelector('.handle').focus();
  }

  move(from, to) {
    this.layers.splice(to, 0, ...this.layers.splice(from, 1));
    this.built = ''; // rows of one kind may have changed places
    this.shown = { ...this.shown, parts: [], broken: null };
    this.draw();
  }

  /** Drag a row by its handle. @param {PointerEvent} event */
  grab(event) {
    const handle = /** @type {HTMLElement} */ (event.target).closest('.handle');
    if (!handle) return;
    event.preventDefault();
    handle.focus();
    let at = this.at(handle);
    const before = at;
    this.dragged = true;
    this.rows.setPointerCapture(event.pointerId);
    const over = move => {
      const to = [...this.rows.children].findIndex(
        line => move.clientY < line.getBoundingClientRect().bottom
      );
      const target = to < 0 ? this.layers.length - 1 : to;
      if (target !== at) this.move(at, (at = target));
      this.rows.children[at].classList.add('held');
    };
    const end = () => {
      this.rows.removeEventListener('pointermove', over);
      this.dragged = false;
      this.rows.children[at].classList.remove('held');
      if (at !== before) this.send(`Now layer ${at + 1} of ${this.layers.length}.`);
    };
    this.rows.addEventListener('pointermove', over);
    this.rows.addEventListener('lostpointercapture', end, { once: true });
  }

  at(element) {
    return Number(element.closest('li').dataset.at);
  }

  /** @param {string} words */
  say(words) {
    this.home.querySelector('.said').textContent = words;
  }

  /** @param {string} words */
  send(words) {
    this.say(words);
    this.revision += 1;
    this.shown = { ...this.shown, parts: [], broken: null };
    this.draw();
    this.post('layers', { revision: this.revision, layers: this.layers });
  }
}

/** @type {WeakMap<ParentNode, Editor>} */
const editors = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  if (!editors.has(parentElement)) editors.set(parentElement, new Editor(parentElement));
  editors.get(parentElement).update(data, setStateValue);
  return () => editors.delete(parentElement);
}
