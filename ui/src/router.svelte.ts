import type { Guid } from './bindings';

export const SCREENS = ['library', 'ingest', 'jobs', 'watch', 'viewers', 'workspace', 'activity'] as const;
export type ScreenName = (typeof SCREENS)[number];

/** Where one is: the screen, and the video that is open beside it. */
export class Router {
  screen = $state<ScreenName>('library');
  opened = $state<{ guid: Guid; autoplay: boolean } | null>(null);

  readonly go = (screen: ScreenName) => {
    this.screen = screen;
    if (screen !== 'library') this.opened = null;
  };
  readonly open = (guid: Guid, autoplay = false) => {
    this.screen = 'library';
    this.opened = { guid, autoplay };
  };
  readonly close = () => {
    this.opened = null;
  };
  /** To a place where one was. */
  restore(screen: ScreenName, opened: Guid | null): void {
    this.screen = screen;
    if (opened === null || opened !== this.opened?.guid) this.opened = opened === null ? null : { guid: opened, autoplay: false };
  }
  /** Back to where one begins. */
  home(): void {
    this.go('library');
    this.close();
  }
}
