/** What keys and two fingers do to the view. @typedef {import('./view.js').View} View */

/** Two fingers change the size. @param {HTMLElement} stage @param {(steps: number) => void} zoomBy */
export function onPinch(stage, zoomBy) {
  const fingers = new Map();
  let apart = 0;
  const distance = () => {
    const [one, other] = [...fingers.values()];
    return Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
  };
  stage.addEventListener('pointerdown', event => {
    if (event.pointerType !== 'touch') return;
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) apart = distance();
  });
  stage.addEventListener('pointermove', event => {
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event);
    if (fingers.size !== 2) return;
    const factor = distance() / apart;
    if (factor > 1.3 || factor < 0.75) {
      zoomBy(factor > 1 ? 1 : -1);
      apart = distance();
    }
  });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave']) {
    stage.addEventListener(end, event => fingers.delete(event.pointerId));
  }
}

/** @type {Record<string, (view: View) => void>} */
export const KEYS = {
  ArrowUp: view => view.move(-1, 0),
  ArrowDown: view => view.move(1, 0),
  ArrowLeft: view => view.move(0, -1),
  ArrowRight: view => view.move(0, 1),
  Enter: view => view.unit && view.pin(view.unit),
  Escape: view => view.release(),
  ' ': view => view.player.toggle(),
  ',': view => view.player.step(-1),
  '.': view => view.player.step(1),
  '+': view => view.zoomBy(1),
  '-': view => view.zoomBy(-1),
  w: view => view.why(),
};

/** @type {Record<string, (view: View) => void>} */
export const SHIFTED = {
  ArrowUp: view => view.turn(-1),
  ArrowDown: view => view.turn(1),
  ArrowLeft: view => view.back(),
  ArrowRight: view => view.on(),
  '+': view => view.zoomBy(1),
  W: view => view.why(),
};
