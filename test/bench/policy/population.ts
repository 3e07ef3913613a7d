// A large tenant, made up: what the provider would list, what its identities file would add, and the calls of its people.
import type { CallFacts, PolicyUser } from '@sidestream/policy';

/** The same numbers in every run. */
const step = 7919;

/** The users in the order in which no table is sorted. `generation` changes a few names, as a day does. */
export function* users(count: number, generation: number): Generator<PolicyUser> {
  for (let index = 0; index < count; index += 1) {
    const place = (index * step) % count;
    const name = `Seller ${place}${place % 1000 === 0 ? ` the ${generation}th` : ''}`;
    yield { id: objectId(place), upn: upn(place), name, numbers: [number(place)], addresses: [] };
  }
}

/** One extension for each user, and number ranges and extension ranges of a thousand sites. */
export function identitiesFile(count: number): string {
  const lines = ['user,numbers,addresses'];
  for (let place = 0; place < count; place += 1)
    lines.push(`${upn(place)},,${extension(place)}@pbx${place % 50}.example`);
  for (let site = 0; site < Math.min(1_000, count); site += 1) {
    lines.push(`${objectId(site)},+4420${String(site).padStart(4, '0')}*,${site}*@site${site}.example`);
  }
  return lines.join('\n');
}

/** The call at this place of an endless day: a third of the sellers is found by number, a third by address, a third not at all. */
export function call(index: number, count: number): CallFacts {
  const place = (index * 104_729) % count;
  const called = [
    `sip:${number(place)}@192.0.2.1`,
    `sip:${extension(place)}@pbx${place % 50}.example`,
    'sip:+13125550199@192.0.2.1',
  ];
  return {
    tenant: 'contoso',
    side: 'customer',
    calling: [{ uri: `sip:+1425555${String(index % 10_000).padStart(4, '0')}@carrier.example;user=phone` }],
    called: [{ uri: called[index % 3] ?? '' }, { uri: 'sip:front-desk@contoso.example' }],
    at: new Date(),
  };
}

const number = (place: number) => `+4930${1_000_000 + place}`;
const extension = (place: number) => String(10_000 + place);
const upn = (place: number) => `seller.${place}@contoso.example`;

function objectId(place: number): string {
  const hex = ((place * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0');
  return `${hex}-0000-4000-8000-${String(place).padStart(12, '0')}`;
}
