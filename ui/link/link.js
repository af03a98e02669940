/** Writes the address of the present picture, and copies it when asked. */

const SAID = 1500; // milliseconds for which the button says what it did

/** Copy without the clipboard interface, which pages served over plain http do not have. */
function copyOldWay(text) {
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text);
  }
}

export default function ({ data, parentElement }) {
  const { pathname, search, hash } = window.location;
  const address = `${pathname}?${data.query}${hash}`;
  // Replaced, not pushed: a stroke is no page that Back should return to.
  if (address !== pathname + search + hash) {
    window.history.replaceState(window.history.state, '', address);
  }
  const button = parentElement.querySelector('button');
  button.onclick = async () => {
    button.textContent = (await copy(window.location.href)) ? 'Copied' : 'Copying failed';
    setTimeout(() => { button.textContent = 'Copy link'; }, SAID);
  };
}
