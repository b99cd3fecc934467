import * as backend from '../backend';
import type { Error, Invitation, Invited, Invitees, PoolFacts, Viewer } from '../bindings';
import type { ViewerAct } from '../backend';
import { addressOf } from './states';

/** The viewers, as the pool last told them, and the invitation that is being made. */
export class Viewers {
  all = $state.raw<Viewer[]>([]);
  facts = $state.raw<PoolFacts | null>(null);
  readAt = $state<number | null>(null);
  error = $state<Error | null>(null);
  busy = $state(false);
  /** What the list is searched for. */
  wanted = $state('');
  /** Whether someone is inviting. */
  inviting = $state(false);
  invitees = $state.raw<Invitees | null>(null);
  /** What became of each, by the address. */
  told = $state<Record<string, Invited>>({});
  found = $derived.by(() => {
    const wanted = this.wanted.trim().toLocaleLowerCase();
    const by = (one: Viewer) => `${one.email ?? ''} ${one.name ?? ''} ${one.username}`.toLocaleLowerCase();
    return wanted === '' ? this.all : this.all.filter((one) => by(one).includes(wanted));
  });
  #asked = 0;

  readonly load = () =>
    this.#try(async () => {
      [this.facts, this.all] = await Promise.all([backend.poolFacts(), backend.viewers()]);
      this.readAt = Date.now();
    });

  readonly begin = () => {
    this.inviting = true;
    this.invitees = null;
    this.told = {};
    this.error = null;
  };
  readonly end = () => {
    this.inviting = false;
    // Temporary passwords are shown once.
    this.told = {};
  };
  async read(text: string): Promise<void> {
    const asked = ++this.#asked;
    const invitees = await backend.readInvitees(text);
    if (asked === this.#asked) this.invitees = invitees;
  }
  readonly invite = (invitation: Invitation) =>
    this.#try(async () => {
      const people = this.invitees?.people ?? [];
      await backend.invite(people, invitation, (address, invited) => {
        this.told[address] = invited;
      });
      this.all = await backend.viewers();
      this.readAt = Date.now();
    });
  readonly act = (viewer: Viewer, act: ViewerAct) =>
    this.#try(async () => {
      await backend.actOnViewer(addressOf(viewer), act);
      this.all = await backend.viewers();
      this.readAt = Date.now();
    });

  async #try(work: () => Promise<unknown>): Promise<void> {
    this.error = null;
    this.busy = true;
    try {
      await work();
    } catch (thrown) {
      this.error = backend.asError(thrown);
    } finally {
      this.busy = false;
    }
  }
}
