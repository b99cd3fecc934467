/** What a player says of itself at one look. */
export interface Look {
  /** Milliseconds, of any clock. */
  now: number;
  /** Seconds into the film. */
  position: number;
  /** Whether the film should be moving: it plays or seeks. */
  shouldMove: boolean;
  /** Whether what comes next is there to be played. */
  hasNext: boolean;
}

/** Notices a film that stands still although it should move and has what it needs. */
export class Stillness {
  private since: number | null = null;
  private position = Number.NaN;

  /** `patience`: milliseconds of standing still that are normal. */
  constructor(private readonly patience: number) {}

  /** Whether it has stood still for longer than that; counting begins anew after a yes. */
  isStuck({ now, position, shouldMove, hasNext }: Look): boolean {
    if (!shouldMove || !hasNext || position !== this.position) {
      this.since = null;
      this.position = position;
      return false;
    }
    this.since ??= now;
    if (now - this.since < this.patience) return false;
    this.since = null;
    return true;
  }
}
