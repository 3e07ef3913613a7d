// `demo --stay`: a gateway, an issuer and pages beside everything that runs, until somebody wants it to end.
import { freeTcpPort } from '@sidestream/peers';
import { DialerPages, IssuerSimulator, StagePage } from '@sidestream/simulators';
import { type LaboratoryConfig, listedSeller, unlistedSeller } from '../laboratory-config.js';
import type { Scenario } from './scenario.js';

const host = '127.0.0.1';

/** Who may look at the console. */
const operator = { oid: 'operator', name: 'Grace, operator of contoso', roles: ['Sidestream.Operator'] };

const calls = [
  { id: 'inbound-listed', title: 'A customer calls Ada, who is recorded' },
  { id: 'outbound-listed', title: 'Ada calls a customer' },
  { id: 'inbound-unlisted', title: 'A customer calls Bob, who is not recorded' },
];

export class StageSet {
  readonly #issuer: IssuerSimulator;
  readonly #dialer: DialerPages;
  readonly #gateway: string;

  private constructor(issuer: IssuerSimulator, dialer: DialerPages, gateway: string) {
    this.#issuer = issuer;
    this.#dialer = dialer;
    this.#gateway = gateway;
  }

  /** What the services' configuration has to name is there before they are. */
  static async build(): Promise<StageSet> {
    const issuer = await IssuerSimulator.start({ audience: 'sidestream', users: [operator] });
    const gateway = `${host}:${await freeTcpPort(host)}`;
    const dialer = await DialerPages.start({
      gatewayUrl: `ws://${gateway}/dialer/v1/events`,
      token: ({ seller }) => issuer.mint({ oid: seller }),
    });
    return new StageSet(issuer, dialer, gateway);
  }

  configure(config: LaboratoryConfig): void {
    config.gateway = {
      listen: this.#gateway,
      issuers: [{ tenant: 'contoso', issuer: this.#issuer.issuer, audience: this.#issuer.audience }],
      origins: [this.#dialer.widgetOrigin],
      console: { authority: this.#issuer.issuer, clientId: 'console', scope: 'openid offline_access' },
    };
  }

  /** Resolves after `ended` has rejected and the last call that was placed here is over. */
  async play(scenario: Scenario, say: (what: string) => void, ended: Promise<never>): Promise<void> {
    const widgetOf = ({ id }: { id: string }) => `${this.#dialer.hostUrl}?seller=${id}`;
    const links = [
      { title: "Ada's dialer in Dynamics 365, simulated", url: widgetOf(listedSeller) },
      { title: "Bob's", url: widgetOf(unlistedSeller) },
      { title: 'The operations console', url: `http://${this.#gateway}/` },
    ];
    const stage = await StagePage.start({
      recorder: scenario.laboratory.recorder,
      links,
      calls,
      place: async (id, onProgress) => {
        onProgress('the parties talk');
        const { proof, faults } = await scenario.call(id);
        if (faults.length > 0) return `NOT proven: ${faults.join('; ')}`;
        return proof.recorded ? 'over, recorded and proven' : `over, not recorded (${proof.reason})`;
      },
    });
    for (const { title, url } of links) say(`${title}: ${url}`);
    say(`place calls, see and hear recordings: ${stage.url}`);
    say('Ctrl-C ends it');
    await ended.catch(() => undefined);
    say('stopping the pages');
    await stage.close();
  }

  async close(): Promise<void> {
    await Promise.all([this.#dialer.close(), this.#issuer.close()]);
  }
}
