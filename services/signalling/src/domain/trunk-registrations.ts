// All registrations of trunks: begins and ends them, and knows which address is a registrar's of which trunk.
import { readTarget, type Trunk, type TrunkTable } from '@sidestream/routing';
import type { Logger, TrunkConfig } from '@sidestream/service';
import { parseUri } from '@sidestream/sip';
import type { Trunking } from './ports.js';
import { type RegistrationState, TrunkRegistration } from './trunk-registration.js';

export interface TrunkRegistrationsOptions {
  readonly config: Readonly<Record<string, TrunkConfig>>;
  readonly trunks: Pick<TrunkTable, 'find'>;
  readonly trunking: Pick<Trunking, 'register' | 'ownAddress'>;
  readonly log: Logger;
  readonly onState: (state: RegistrationState) => void;
}

export class TrunkRegistrations {
  readonly #all: TrunkRegistration[] = [];
  readonly #states = new Map<string, RegistrationState>();

  constructor({ config, trunks, trunking, log, onState }: TrunkRegistrationsOptions) {
    for (const [name, { register, transport }] of Object.entries(config)) {
      const trunk = trunks.find(name);
      if (register === undefined || trunk === undefined) continue;
      const registrars = register.registrar.map((uri, priority) => readTarget({ uri, priority, weight: 1 }, transport));
      const domain = register.domain ?? parseUri(register.registrar[0] ?? '').host;
      const told = (state: RegistrationState) => {
        this.#states.set(name, state);
        onState(state);
      };
      told({ trunk, registered: false, registrar: '', detail: 'not yet registered' });
      const { user, expiresSeconds } = register;
      const common = { trunk, registrars, user, domain, expiresSeconds, trunking, log };
      this.#all.push(new TrunkRegistration({ ...common, onState: told }));
    }
  }

  get states(): Iterable<RegistrationState> {
    return this.#states.values();
  }

  start(): void {
    for (const one of this.#all) one.start();
  }

  wake(): void {
    for (const one of this.#all) one.wake();
  }

  /** Takes every contact back, within a bound. Never rejects. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((one) => one.stop()));
  }

  /**
   * The trunk whose contact is called from its registrar: it tells trunks of one registrar apart. From any other address a call to
   * the contact proves nothing, as contacts are no secret.
   */
  ofContact(address: string, user: string | undefined): Trunk | undefined {
    return this.#at(address).find(({ config }) => config.register?.user === user);
  }

  /** The trunk whose registrar has this address; the first one where there are several. */
  ofSource(address: string): Trunk | undefined {
    return this.#at(address)[0];
  }

  #at(address: string): Trunk[] {
    return [...this.#states.values()].filter(({ registrar }) => registrar === address).map(({ trunk }) => trunk);
  }
}
