/** Takes the keyboard when it appears: `{@attach focused}`. */
export function focused(element: HTMLElement): void {
  element.focus();
}
