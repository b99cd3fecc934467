import * as backend from '../backend';
import type { AccessKey, Choices, Connection, CredentialsSource, Error, Identity, Keep, PoolUser, Profile, SignIn, Stack, Workspace } from '../bindings';
import { Attempt } from '../shared/attempt.svelte';
import { COLORS } from './colors';

/** Who signs in, how (where something is missing), what is connected, and its names. */
export type Step = 'who' | 'sign-in' | 'what' | 'names';

/** The way from nothing to a workspace. */
export class Connect extends Attempt {
  step = $state<Step>('who');
  profiles = $state<Profile[]>([]);
  /** What of the AWS files cannot be understood. */
  troubles = $state<Error[]>([]);
  region = $state('');
  signIn = $state<SignIn | null>(null);
  identity = $state<Identity | null>(null);
  stacks = $state<Stack[]>([]);
  /** Why no stacks are listed, where that is so. */
  unlisted = $state<Error | null>(null);
  choices = $state<Choices | null>(null);
  draft = $state<Workspace | null>(null);
  isNew = $state(true);
  #credentials: CredentialsSource | null = null;
  /** What was typed, and is kept for no workspace yet. */
  #typed: CredentialsSource | null = null;
  readonly #taken: Workspace[];

  constructor(taken: Workspace[]) {
    super();
    this.#taken = taken;
    this.region = taken.at(-1)?.region ?? '';
  }

  readonly start = () =>
    this.attempt(async () => {
      ({ profiles: this.profiles, troubles: this.troubles } = await backend.profiles());
    });

  connection(): Connection {
    return { region: this.region.trim(), credentials: this.#credentials ?? { kind: 'environment' }, endpoint: null, s3Endpoint: null, fips: false, dualStack: false, transferAcceleration: false };
  }

  readonly useProfile = async (profile: Profile) => {
    await this.forget();
    this.region = profile.region ?? this.region;
    return this.#use({ kind: 'profile', name: profile.name });
  };
  readonly useEnvironment = async () => {
    await this.forget();
    return this.#use({ kind: 'environment' });
  };
  readonly useKey = (key: AccessKey, keep: Keep) =>
    this.attempt(async () => {
      await this.forget();
      this.#typed = await backend.giveAccessKey(key, keep, null);
      await this.#look(this.#typed);
    });
  readonly usePassword = (user: PoolUser, password: string, keep: Keep) =>
    this.attempt(async () => {
      // The pool's id begins with its region.
      this.region ||= user.pool.split('_')[0] ?? '';
      await this.forget();
      this.#typed = await backend.givePassword(user, password, keep, this.connection());
      await this.#look(this.#typed);
    });
  /** Nobody will use what was typed. */
  async forget(): Promise<void> {
    if (this.#typed !== null) await backend.forgetCredentials(this.#typed);
    this.#typed = null;
  }
  /** After a sign-in, or with another region. */
  readonly again = () => this.#use(this.#credentials ?? { kind: 'environment' });

  readonly choose = (stack: Stack) => {
    this.#edit(stack.workspace);
  };

  readonly byHand = () =>
    this.attempt(async () => {
      this.choices = await backend.choices(this.connection());
      this.#edit({
        ...this.connection(),
        name: '',
        color: 'violet',
        account: this.identity?.account ?? null,
        sourceBucket: '',
        destinationBucket: '',
        table: '',
        cdn: '',
        encryption: 'none',
        playback: 'cdn',
        mode: { kind: 'pipeline', trigger: 'videoFile', frameCapture: false, acceleration: 'preferred' },
      });
    });

  /** A workspace that is there and cannot be opened as it is. */
  readonly mend = (workspace: Workspace) => {
    this.isNew = false;
    this.#edit(workspace);
  };

  /** A workspace from a file: it is looked at before it is kept. */
  readonly take = (workspace: Workspace) => {
    this.#edit(workspace);
  };

  readonly back = () => {
    this.error = null;
    if (this.step === 'names' && this.identity !== null) this.step = 'what';
    else this.step = 'who';
  };

  #edit(workspace: Workspace): void {
    const used = this.#taken.map((other) => other.color);
    const taken = this.#taken.some((other) => other.name === workspace.name);
    this.draft = {
      ...workspace,
      name: taken ? '' : workspace.name,
      // One that no other has, so that they are told apart.
      color: used.includes(workspace.color) ? (COLORS.find((color) => !used.includes(color)) ?? workspace.color) : workspace.color,
    };
    this.step = 'names';
  }

  #use(credentials: CredentialsSource): Promise<boolean> {
    return this.attempt(() => this.#look(credentials));
  }

  async #look(credentials: CredentialsSource): Promise<void> {
    this.#credentials = credentials;
    // It can be changed where the stacks are shown.
    this.region ||= 'us-east-1';
    const connection = this.connection();
    try {
      this.identity = await backend.identity(connection);
    } catch (thrown) {
      const error = backend.asError(thrown);
      if (error.code !== 'sign-in') throw thrown;
      this.signIn = await backend.signInOf(connection);
      // Who has not signed in yet has done nothing wrong.
      const isFirst = this.signIn.kind === 'sso' || this.signIn.kind === 'mfaCode';
      this.error = isFirst ? null : error;
      this.step = 'sign-in';
      return;
    }
    this.signIn = null;
    this.unlisted = null;
    this.stacks = [];
    try {
      this.stacks = await backend.stacks(connection);
    } catch (thrown) {
      this.unlisted = backend.asError(thrown);
    }
    this.step = 'what';
  }

}
