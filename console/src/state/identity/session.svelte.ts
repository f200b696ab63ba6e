// Who is signed in, from the first look at the cookie to signing out.

import { Client, type Credentials } from '../../api/kernel/client';
import { type Problem, asProblem } from '../../api/kernel/problems';
import { otherTabs } from '../../api/kernel/tabs';
import type { Me } from '../../api/identity/wire';
import { calls } from '../../paths';

/** Says that this browser may have a session, so that a first visit need not ask and be refused. Holds no secret. */
const HINT = 'hookyard.signed-in';

export type SessionPhase = 'unknown' | 'signed-out' | 'signed-in' | 'failed';

class SessionState {
  readonly client = new Client(otherTabs());
  #phase = $state<SessionPhase>('unknown');
  #me = $state.raw<Me | null>(null);
  #problem = $state.raw<Problem | null>(null);

  constructor() {
    this.client.onSignedOut = () => {
      this.#me = null;
      this.#phase = 'signed-out';
      localStorage.removeItem(HINT);
    };
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  get me(): Me | null {
    return this.#me;
  }

  /** Why it is not known whether somebody is signed in. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** Takes up the session of the browser's cookie, if there is one. */
  async resume(): Promise<void> {
    if (localStorage.getItem(HINT) === null) {
      this.#phase = 'signed-out';
      return;
    }
    this.#phase = 'unknown';
    try {
      await this.client.renew();
      await this.#enter();
    } catch (error) {
      const problem = asProblem(error);
      if (this.client.signedIn || problem.status !== 401) {
        this.#problem = problem;
        this.#phase = 'failed';
      } else this.#phase = 'signed-out';
    }
  }

  async signIn(credentials: Credentials): Promise<void> {
    await this.client.signIn(credentials);
    await this.#enter();
  }

  async signOut(): Promise<void> {
    await this.client.signOut();
  }

  async #enter(): Promise<void> {
    this.#me = await this.client.get<Me>(calls.me());
    localStorage.setItem(HINT, 'yes');
    this.#phase = 'signed-in';
  }
}

export const session = new SessionState();
