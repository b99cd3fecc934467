import type { Color } from '../bindings';

/** The marks of workspaces, in the order of choosing. */
export const COLORS: Color[] = ['violet', 'blue', 'green', 'orange', 'red', 'gray'];

/** The CSS value of a mark. */
export const mark = (color: Color) => `var(--mark-${color})`;
