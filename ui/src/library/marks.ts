const MARKS = /\p{Mn}/gu;

/** A letter as it is compared: without case, accents and forms of compatibility. */
const fold = (letter: string) => letter.normalize('NFKD').replace(MARKS, '').toLowerCase();

export interface Piece {
  text: string;
  isMatch: boolean;
}

/** A text in pieces: those that are found by what was typed, and the others. A word is found by its beginning. */
export function marked(text: string, typed: string): Piece[] {
  const words = fold(typed)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
  if (words.length === 0) return [{ text, isMatch: false }];
  const letters = [...text];
  const folded = letters.map(fold);
  const isFound = letters.map(() => false);
  for (let at = 0; at < letters.length; at += 1) {
    if (!isStart(letters, at)) continue;
    for (const word of words) {
      let [end, rest] = [at, word];
      while (rest !== '' && end < letters.length && rest.startsWith(folded[end] ?? '')) {
        rest = rest.slice((folded[end] ?? '').length);
        end += 1;
      }
      if (rest === '') isFound.fill(true, at, end);
    }
  }
  const pieces: Piece[] = [];
  letters.forEach((letter, at) => {
    const last = pieces.at(-1);
    const isMatch = isFound[at] ?? false;
    if (last?.isMatch === isMatch) last.text += letter;
    else pieces.push({ text: letter, isMatch });
  });
  return pieces;
}

/** Where a word may begin: behind what is no letter, where digits begin or end, at a capital, and anywhere in a script without spaces. */
function isStart(letters: string[], at: number): boolean {
  const [before, letter] = [letters[at - 1], letters[at] ?? ''];
  if (before === undefined || !/[\p{L}\p{N}\p{M}]/u.test(before)) return true;
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(letter)) return true;
  return /\p{N}/u.test(before) !== /\p{N}/u.test(letter) || (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(letter));
}
