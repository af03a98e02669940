/**
 * Presenter mode's keys: PageDown and PageUp, which clickers send, go on and back; so do the arrows
 * to the right and left while nothing on the page has the focus. Escape leaves.
 */

const SHOWN = 2500; // milliseconds for which the pointer's move shows the button
const TURNS = { PageDown: 1, PageUp: -1 };
const ARROWS = { ArrowRight: 1, ArrowLeft: -1 };

/** Whether keys are meant for a text. @param {EventTarget} target */
function takesText(target) {
  return target instanceof HTMLElement && (target.isContentEditable
    || target.matches('textarea, select, input:not([type=range], [type=checkbox], [type=radio])'));
}

/** A page's own button for going on or back, if it has one that can be pressed. @param {number} turn */
function ownButton(turn) {
  const button = `.st-key-${turn > 0 ? 'next' : 'back'} button:not(:disabled)`;
  return /** @type {HTMLButtonElement | null} */ (document.querySelector(button));
}

class Presenter {
  /** @param {ParentNode} root */
  constructor(root) {
    this.button = root.querySelector('button');
    this.button.onclick = () => this.send('leave', true);
    this.timer = 0;
    this.listening = new AbortController();
    const { signal } = this.listening;
    document.addEventListener('keydown', event => this.key(event), { signal });
    document.addEventListener('pointermove', () => this.moved(), { signal });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = event.composedPath()[0];
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (takesText(target)) return;
    if (event.key === 'Escape') {
      // Something that lies over the page closes first.
      if (!document.querySelector('[role=dialog], [data-baseweb=popover]')) this.send('leave', true);
      return;
    }
    const free = target === document.body || target === document.documentElement;
    const turn = TURNS[event.key] ?? (free && !event.shiftKey ? ARROWS[event.key] : undefined);
    if (!turn) return;
    event.preventDefault(); // the page would scroll
    if (event.repeat) return; // a key held down is no second press
    const button = ownButton(turn);
    if (button) button.click();
    else this.send('turn', turn);
  }

  moved() {
    this.button.classList.add('moved');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.button.classList.remove('moved'), SHOWN);
  }

  leave() {
    clearTimeout(this.timer);
    this.listening.abort();
  }
}

/** @type {WeakMap<ParentNode, Presenter>} */
const presenters = new WeakMap();

export default function ({ parentElement, setTriggerValue }) {
  if (!presenters.has(parentElement)) presenters.set(parentElement, new Presenter(parentElement));
  const presenter = presenters.get(parentElement);
  presenter.send = setTriggerValue;
  return () => {
    presenter.leave();
    presenters.delete(parentElement);
  };
}
