// One route of a trunk: what a call must have for it, and the trunks that it leads to.
import type { TrunkConfig } from '@sidestream/service';
import { RE2JS } from 're2js';
import type { CallNumber } from './number-plan.js';

type RouteConfig = TrunkConfig['routes'][number];
type NumberMatch = NonNullable<RouteConfig['called']>;

/** What routes look at. */
export interface RoutedCall {
  readonly called: CallNumber;
  readonly calling: CallNumber;
  /** Value of a header field of the INVITE. */
  header(name: string): string | undefined;
}

/** Longer values are not looked at: nobody routes by them, and whoever calls chooses their length. */
const maxChars = 1_024;

export class Route {
  readonly to: readonly string[];
  readonly #conditions: readonly Condition[];

  constructor({ called, calling, header, to }: RouteConfig) {
    this.to = to;
    this.#conditions = [
      ...(called ? [numberCondition('called', called)] : []),
      ...(calling ? [numberCondition('calling', calling)] : []),
      ...(header ? [headerCondition(header)] : []),
    ];
  }

  matches(call: RoutedCall): boolean {
    return this.#conditions.every(({ holds }) => holds(call));
  }

  /** In words: what does not hold for the call, else what does. */
  verdict(call: RoutedCall): string {
    const failed = this.#conditions.find(({ holds }) => !holds(call));
    if (failed !== undefined) return `not taken: ${failed.text} does not hold`;
    const held = this.#conditions.map(({ text }) => text);
    return `taken: ${held.length === 0 ? 'it takes every call' : held.join(' and ')}; to ${this.to.join(', ')}`;
  }
}

interface Condition {
  readonly text: string;
  readonly holds: (call: RoutedCall) => boolean;
}

function numberCondition(party: 'called' | 'calling', match: NumberMatch): Condition {
  const [kind, value] = Object.entries(match).find(([, text]) => text !== undefined) ?? ['exact', ''];
  const fits = numberTest(match);
  return {
    text: `${party} number ${kind} ${value}`,
    holds: (call) => {
      const { dialled, international } = call[party];
      return [dialled, dialled.replace(/[-.() ]/g, ''), international].some(
        (form) => form !== undefined && form.length <= maxChars && fits(form),
      );
    },
  };
}

/** Whether the whole number, in any of its forms, is what is wanted. */
function numberTest({ exact, prefix, regex }: NumberMatch): (number: string) => boolean {
  if (exact !== undefined) return (number) => number === exact;
  if (prefix !== undefined) return (number) => number.startsWith(prefix);
  // RE2 matches in time linear to the number: no pattern can hold up calls.
  const pattern = RE2JS.compile(regex ?? '');
  return (number) => pattern.matches(number);
}

function headerCondition({ name, matches }: NonNullable<RouteConfig['header']>): Condition {
  const pattern = RE2JS.compile(matches);
  return {
    text: `header ${name} matches ${matches}`,
    holds: (call) => {
      const value = call.header(name.toLowerCase());
      return value !== undefined && value.length <= maxChars && pattern.matcher(value).find();
    },
  };
}
