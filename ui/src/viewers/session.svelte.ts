import type { WorkspaceBackend } from '../backend';
import type { Mail, Step, Watchable } from '../bindings';
import { Attempt } from '../shared/attempt.svelte';

/** The mailbox of the sandbox, and a viewer's session in it. */
export class ViewerSession extends Attempt {
  mails = $state.raw<Mail[]>([]);
  address = $state('');
  password = $state('');
  fresh = $state('');
  code = $state('');
  /** What comes next; none before someone signs in. */
  step = $state.raw<Step | null>(null);
  playing = $state.raw<{ video: Watchable; source: string } | null>(null);

  constructor(readonly backend: WorkspaceBackend) {
    super();
  }

  readonly loadMails = () =>
    this.attempt(async () => {
      this.mails = await this.backend.mails();
    });

  /** Takes the address, and the newest secret that was sent there. */
  async begin(address: string): Promise<void> {
    await this.leave();
    await this.loadMails();
    this.address = address;
    this.password = this.#newest(address)?.secret ?? '';
  }
  readonly signIn = () => this.#go(() => this.backend.signInAs(this.address.trim(), this.password));
  readonly choosePassword = () => this.#go(() => this.backend.choosePasswordAs(this.fresh));
  readonly giveCode = () => this.#go(() => this.backend.giveCodeAs(this.code.trim(), this.fresh));
  readonly lookAgain = () =>
    this.attempt(async () => {
      this.step = { kind: 'in', videos: await this.backend.lookAgainAs() };
    });
  readonly play = (video: Watchable) =>
    this.attempt(async () => {
      this.playing = { video, source: await this.backend.playAs(video) };
    });
  readonly leave = async () => {
    await this.backend.leaveViewerSession();
    [this.step, this.playing, this.password, this.fresh, this.code] = [null, null, '', '', ''];
    this.error = null;
  };

  #newest(address: string): Mail | undefined {
    return this.mails.find((mail) => mail.to.toLowerCase() === address.trim().toLowerCase());
  }

  #go(work: () => Promise<Step>): Promise<boolean> {
    return this.attempt(async () => {
      this.step = await work();
      [this.password, this.fresh] = ['', ''];
      if (this.step.kind === 'code') {
        await this.loadMails();
        this.code = this.#newest(this.address)?.secret ?? '';
      }
    });
  }
}
