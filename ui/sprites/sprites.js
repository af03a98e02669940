/**
 * Thumbnails cut out of one image, each a button.
 *
 * @typedef {{src: string, width: number, height: number,
 *   each: [number, string, string][]}} Shown
 */

const SCALE = 2; // screen pixels a pixel

/** @type {WeakMap<ParentNode, string>} what is built */
const built = new WeakMap();

/** @param {HTMLElement} home @param {Shown} shown */
function build(home, { src, width, height, each }) {
  home.textContent = '';
  each.forEach(([id, caption, words], k) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.id = String(id);
    button.setAttribute('aria-label', `${words} ${caption}`);
    const picture = document.createElement('i');
    Object.assign(picture.style, {
      width: `${SCALE * width}px`,
      height: `${SCALE * height}px`,
      backgroundImage: `url(${src})`,
      backgroundSize: `${SCALE * width}px auto`,
      backgroundPosition: `0 -${SCALE * height * k}px`,
    });
    button.append(picture, document.createTextNode(caption));
    home.append(button);
  });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const home = /** @type {HTMLElement} */ (parentElement.querySelector('.sprites'));
  const all = JSON.stringify(data);
  if (built.get(parentElement) !== all) {
    build(home, data);
    built.set(parentElement, all);
  }
  home.onclick = event => {
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    if (button) setTriggerValue('pick', Number(button.dataset.id));
  };
  return () => built.delete(parentElement);
}
