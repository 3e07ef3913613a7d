// A world for one registrar: a record in memory, a clock that the test sets, a provider that does as told.
import { createLogger } from '@sidestream/service';
import type { RegistrationRecord, TenantMaterial, TenantSettings } from '@sidestream/tenant-registration';
import type { Announcements, Outcome, ProviderFailure, StoredRecord, TenantStatus } from '../domain/ports.js';
import { Registrar } from '../domain/registrar.js';

export const settings: TenantSettings = {
  organizationId: 'ad3dca46-962a-4895-9f85-d25f3828781f',
  accountId: 'AC0123',
  hosting: 'cloud',
  displayName: 'Sidestream',
  sourceIpNetwork: '0.0.0.0',
  certificateForm: 'dotnet',
  apiBaseUrl: 'https://api.example',
  authority: 'https://login.example',
  entraTenantId: 'contoso.example',
  clientId: '11111111-1111-4111-8111-111111111111',
};

/** Answers one request: an outcome, a failure, or a wait for the signal. */
export type Answer = Outcome | ProviderFailure | 'hang';

export class World {
  stored: StoredRecord = { record: {}, revision: undefined };
  now = new Date('2026-11-26T00:00:00Z');
  material: TenantMaterial;
  /** What the provider answers next; when all are used, `registered`. */
  readonly answers: Answer[] = [];
  readonly bodies: string[] = [];
  readonly events: string[] = [];
  last: TenantStatus | undefined;
  /** Done at each request, before it is answered. */
  onRequest: () => void = () => undefined;
  /** Done at each look, once the record was read. */
  onLoad: () => void = () => undefined;

  constructor(material: TenantMaterial) {
    this.material = material;
  }

  registrar(instance = 'one', more: Partial<TenantSettings> = {}): Registrar {
    return new Registrar({
      tenant: 'contoso',
      settings: { ...settings, ...more },
      instance,
      now: () => this.now,
      random: () => 0,
      log: createLogger({ name: 'test', instance, level: 'silent' }),
      materials: {
        load: async () => {
          this.onLoad();
          return this.material;
        },
      },
      store: {
        read: async () => this.stored,
        write: async (_tenant, record, revision) => this.#write(record, revision),
      },
      provider: { register: (_tenant, body, signal) => this.#answer(JSON.stringify(body), signal) },
      announcements: this.#announcements(),
    });
  }

  #write(record: RegistrationRecord, revision: number | undefined): number {
    if (revision !== this.stored.revision) throw new Error('wrong last sequence');
    const next = (revision ?? 0) + 1;
    this.stored = { record: JSON.parse(JSON.stringify(record)), revision: next };
    return next;
  }

  async #answer(body: string, signal: AbortSignal): Promise<Outcome> {
    this.bodies.push(body);
    this.onRequest();
    const answer = this.answers.shift() ?? 'registered';
    if (answer instanceof Error) throw answer;
    if (answer !== 'hang') return answer;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  }

  #announcements(): Announcements {
    return {
      applied: (_tenant, _hash, outcome) => this.events.push(`applied ${outcome}`),
      drifted: (_tenant, reason) => this.events.push(`drifted ${reason}`),
      expiring: (_tenant, _certificate, days) => this.events.push(`expiring ${days}`),
      attempted: () => undefined,
      observed: (status) => {
        this.last = status;
      },
    };
  }
}
