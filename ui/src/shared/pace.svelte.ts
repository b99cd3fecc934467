import { clock } from './clock.svelte';
import { left } from './format';

const SETTLED_MS = 5000;

/** How long many of the same will take still: told when some of them have shown it. */
export class Pace {
  #of = $state(0);
  #done = $state(0);
  #began = $state(0);
  left = $derived.by(() => {
    const took = clock.now - this.#began;
    if (took < SETTLED_MS || this.#done < this.#of / 100 || this.#done === 0 || this.#done >= this.#of) return null;
    return left(Math.max(1, Math.round(((took / this.#done) * (this.#of - this.#done)) / 1000)));
  });

  begin(of: number): void {
    [this.#of, this.#done, this.#began] = [of, 0, Date.now()];
  }
  count(): void {
    this.#done += 1;
  }
}
