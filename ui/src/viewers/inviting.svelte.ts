import { SvelteMap } from 'svelte/reactivity';

import * as backend from '../backend';
import type { Invitation, Invited, Invitee, Invitees } from '../bindings';
import { Attempt } from '../shared/attempt.svelte';
import { Pace } from '../shared/pace.svelte';

/** The invitation that is being made. */
export class Inviting extends Attempt {
  text = $state('');
  /** The group of those for whom the list names none; empty for none. */
  group = $state('');
  invitation = $state<Invitation>('mail');
  list = $state.raw<Invitees>({ people: [], problems: [] });
  /** What became of each, by the address. */
  readonly told = new SvelteMap<string, Invited>();
  hasBegun = $state(false);
  people = $derived(this.list.people.map((one): Invitee => ({ ...one, group: one.group ?? (this.group === '' ? null : this.group) })));
  hasEnded = $derived(this.hasBegun && !this.busy);
  failed = $derived([...this.told.values()].filter((one) => one.kind === 'failed').length);
  readonly pace = new Pace();
  #asked = 0;

  constructor(readonly backend: backend.WorkspaceBackend) {
    super();
  }

  async read(text: string): Promise<void> {
    const asked = ++this.#asked;
    const list = await backend.readInvitees(text);
    if (asked === this.#asked) this.list = list;
  }

  /** The text of files takes the place of what is there. */
  readonly take = (drop: number) =>
    this.attempt(async () => {
      this.text = await backend.readDropped(drop);
      await this.read(this.text);
    });
  readonly choose = () =>
    this.attempt(async () => {
      this.text = (await backend.chooseList()) ?? this.text;
    });

  readonly send = () => {
    this.hasBegun = true;
    this.pace.begin(this.people.length - this.told.size);
    return this.attempt(() => this.backend.invite(this.people, this.invitation, ({ address, invited }) => this.#hear(address, invited)));
  };
  readonly stop = () => void this.backend.stopRun();

  #hear(address: string, invited: Invited): void {
    // Who got a password in this run is there when it goes on: the password must not go.
    this.pace.count();
    if (invited.kind !== 'wasThere' || !this.told.has(address)) this.told.set(address, invited);
  }

  /** The temporary passwords, as a table for a spreadsheet. */
  passwords(): string {
    const lines = [...this.told].flatMap(([address, invited]) => (invited.kind === 'handOver' ? [`${address}\t${invited.password}`] : []));
    return lines.join('\n');
  }
}
