/** Says the token that this browser keeps; the first time, makes one that nobody can guess. */

const NAME = 'convscope-owner';

function token() {
  try {
    let kept = localStorage.getItem(NAME);
    if (!/^[0-9a-f]{32}$/.test(kept ?? '')) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      kept = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
      localStorage.setItem(NAME, kept);
    }
    return kept;
  } catch {
    return null; // a browser that keeps nothing: its runs last as long as its session
  }
}

/** @type {WeakSet<ParentNode>} where it has been said */
const said = new WeakSet();

export default function ({ parentElement, setStateValue }) {
  const mine = token();
  if (mine && !said.has(parentElement)) {
    said.add(parentElement);
    setStateValue('token', mine);
  }
}
