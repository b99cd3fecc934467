import type { Colour } from '../bindings';

/** The marks of workspaces, in the order of choosing. */
export const COLOURS: Colour[] = ['violet', 'blue', 'green', 'orange', 'red', 'grey'];

/** The CSS value of a mark. */
export const mark = (colour: Colour) => `var(--mark-${colour})`;

/** What a person reads. */
export const label = (colour: Colour): string => (colour === 'grey' ? 'gray' : colour);
