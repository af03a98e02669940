/**
 * Presenter mode's keys: PageDown and PageUp, which clickers send, go on and back; so do the arrows
 * to the right and left while nothing on the page has the focus. Escape leaves.
 *
 * Pages are turned by the links of the navigation, hidden as they are: were the server asked to, a
 * word that another part of the page sends at the same time would call it back to the old page.
 */

const SHOWN = 2500; // milliseconds for which the pointer's move shows the button
const PATIENCE = 2000; // for a button that is not there yet
const OPENINGS = 3; // of a page, that many times at most,
const SETTLED = 1200; // and so far apart
const TURNS = { PageDown: 1, PageUp: -1 };
const ARROWS = { ArrowRight: 1, ArrowLeft: -1 };

/** Whether keys are meant for a text. @param {EventTarget} target */
function takesText(target) {
  return target instanceof HTMLElement && (target.isContentEditable
    || target.matches('textarea, select, input:not([type=range], [type=checkbox], [type=radio])'));
}

/** Where a page keeps its own buttons for going on and back: the cards of a lesson, or a step.
 * @param {number} turn */
const placeOfOwn = turn => document.querySelector(
  `.st-key-${turn > 0 ? 'next' : 'back'}, .st-key-lesson-bar`);

/** @param {Element} place @param {number} turn @returns {HTMLButtonElement | null | undefined} */
function buttonIn(place, turn) {
  if (!place.matches('.st-key-lesson-bar')) return place.querySelector('button');
  const steps = place.querySelector('[data-testid=stBidiComponentIsolated]');
  return steps?.shadowRoot?.querySelector(`[data-testid=card-${turn > 0 ? 'next' : 'back'}]`);
}

/** @returns {HTMLAnchorElement[]} the pages, as the navigation has them */
const pageLinks = () => [...document.querySelectorAll('[data-testid=stSidebarNavLink]')];
const isShown = link => link.getAttribute('aria-current') === 'page';

let wish = 0; // a new number for each page that is asked for

/** Open the next page, or the one before. @param {number} turn */
function turnPage(turn) {
  const links = pageLinks();
  const address = links[links.findIndex(isShown) + turn]?.href;
  if (!address || !links.some(isShown)) return;
  wish += 1;
  openPage(address, wish, OPENINGS);
}

/** @param {string} address @param {number} mine @param {number} times it may be asked for */
function openPage(address, mine, times) {
  const link = pageLinks().find(({ href }) => href === address);
  if (mine !== wish || !times || !link || isShown(link)) return;
  link.click();
  // The old page's last word may have called it back.
  setTimeout(() => openPage(address, mine, times - 1), SETTLED);
}

class Presenter {
  /** @param {ParentNode} root */
  constructor(root) {
    this.button = root.querySelector('button');
    this.button.onclick = () => this.send('leave', true);
    this.button.disabled = false; // it says that keys are heard
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
    this.turn(turn, performance.now());
  }

  /** Go on or back: within the page if it can, else to another page.
   * @param {number} turn @param {number} asked when */
  turn(turn, asked) {
    const place = placeOfOwn(turn);
    const own = place && buttonIn(place, turn);
    if (place && !own && performance.now() - asked < PATIENCE) {
      setTimeout(() => this.turn(turn, asked), 50); // the place is painted before its button
      return;
    }
    if (own && !own.disabled) own.click();
    else turnPage(turn);
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
