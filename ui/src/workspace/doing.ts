/** What a workspace does, in a word or two. */
export interface Doing {
  text: string;
  /** Someone has to see to it. */
  isUrgent: boolean;
}
