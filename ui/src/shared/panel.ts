/** A panel beside a list: the keyboard goes into it when it opens, and Escape closes it. */
export function panel(onclose: () => void) {
  return (node: HTMLElement) => {
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      event.stopPropagation();
      onclose();
    };
    node.addEventListener('keydown', key);
    node.tabIndex = -1;
    node.focus({ preventScroll: true });
    return () => node.removeEventListener('keydown', key);
  };
}
