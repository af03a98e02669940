/** The network's weights, fetched once a moment of its training. */

import { parseSafetensors } from './payload.js';

/** @type {Map<string, Promise<Map<string, any>>>} by address, the latest last */
const fetched = new Map();

/** @param {string} url */
export async function weightsFrom(url) {
  if (!fetched.has(url)) {
    fetched.set(url, (async () => {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`The weights could not be fetched (${answer.status}).`);
      return parseSafetensors(new Uint8Array(await answer.arrayBuffer())).tensors;
    })());
    fetched.get(url).catch(() => fetched.delete(url));
    for (const old of [...fetched.keys()].slice(0, -32)) fetched.delete(old);
  }
  return fetched.get(url);
}
