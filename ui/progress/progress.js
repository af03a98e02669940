/**
 * Keeps what is done in this browser. The page is told what was kept when it does not know it yet;
 * both then hold the same.
 *
 * @typedef {{done: string[], forget: string}} Shown
 */

const NAME = 'convscope-progress';

/** What is kept; nothing if it is none of ours, or if this browser keeps nothing. */
function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(NAME) ?? '[]');
    return Array.isArray(found) ? found.filter(one => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

function keep(places) {
  try {
    if (places.length) localStorage.setItem(NAME, JSON.stringify(places));
    else localStorage.removeItem(NAME);
  } catch {
    // a browser that keeps nothing: what is done lasts as long as its session
  }
}

class Progress {
  /** @param {ParentNode} root */
  constructor(root) {
    this.home = /** @type {HTMLElement} */ (root.querySelector('span'));
    this.forgetting = false;
    this.said = '';
  }

  /** @param {Shown} shown */
  update(shown, sendState, sendTrigger) {
    if (this.forgetting && shown.done.length) return; // the page has not heard of it yet
    this.forgetting = false;
    const before = kept();
    const all = [...new Set([...before, ...shown.done])].sort();
    if (all.length !== before.length) keep(all);
    const news = JSON.stringify(all);
    if (all.length > shown.done.length && news !== this.said) {
      this.said = news;
      sendState('kept', all);
    }
    this.button(shown.forget, sendTrigger);
  }

  button(words, sendTrigger) {
    if (!words) {
      this.home.replaceChildren();
      return;
    }
    if (!this.home.firstChild) this.home.append(document.createElement('button'));
    const button = /** @type {HTMLButtonElement} */ (this.home.firstChild);
    button.type = 'button';
    button.dataset.testid = 'forget-progress';
    button.textContent = words;
    button.onclick = () => {
      keep([]);
      this.forgetting = true;
      this.said = '';
      sendTrigger('forgotten', true);
    };
  }
}

/** @type {WeakMap<ParentNode, Progress>} */
const all = new WeakMap();

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  if (!all.has(parentElement)) all.set(parentElement, new Progress(parentElement));
  all.get(parentElement).update(data, setStateValue, setTriggerValue);
  return () => all.delete(parentElement);
}
