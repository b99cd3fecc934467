/** Puts a list that pops up beside its opener and inside the window: the top layer has no other anchor in every webview. */
export function place(opener: HTMLElement, list: HTMLElement, side: 'start' | 'end'): void {
  const from = opener.getBoundingClientRect();
  const start = side === 'start' ? from.left : Math.min(from.right, innerWidth - 8) - list.offsetWidth;
  list.style.insetInlineStart = `${Math.max(8, start)}px`;
  const below = from.bottom + 4;
  list.style.insetBlockStart = `${below + list.offsetHeight > innerHeight ? Math.max(8, from.top - 4 - list.offsetHeight) : below}px`;
}

/** Up and down lead through the buttons of such a list. */
export function arrows(event: KeyboardEvent, list: HTMLElement): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const buttons = [...list.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  buttons[(at + step + buttons.length) % buttons.length]?.focus();
}
