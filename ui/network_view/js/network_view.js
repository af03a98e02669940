/** Mounts a network view in the page, and keeps it while the page runs again and again. */

import { View } from './view.js';

/** @type {WeakMap<ParentNode, View>} */
const views = new WeakMap();

/** @param {{data: Uint8Array, parentElement: ParentNode, setStateValue: (name: string, value: any) => void}} component */
export function show({ data, parentElement, setStateValue }) {
  if (!views.has(parentElement)) {
    const home = /** @type {HTMLElement} */ (parentElement.querySelector('.view'));
    views.set(parentElement, new View(home, new URL('..', import.meta.url).href));
  }
  views.get(parentElement).update(data, setStateValue);
}

/** @param {ParentNode} parentElement */
export function leave(parentElement) {
  views.get(parentElement)?.leave();
  views.delete(parentElement);
}
