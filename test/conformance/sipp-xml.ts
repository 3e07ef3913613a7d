// Writes the sipp scenario of one party from its steps. It keeps book of what a user agent keeps book of: CSeq, branches, tags.
import { partyAnswerTag, phraseOf } from './sipp-words.js';
import type { Body, HeaderValue, HearStep, Kind, SendStep, Sent, Step } from './steps.js';

/** Who a party is. */
export interface PartyIdentity {
  /** User part of its own address. */
  readonly number: string;
  /** Whom it calls, as a URI. */
  readonly callsUri: string;
  readonly role: 'caller' | 'called';
  /** Raw audio to send, for steps that speak. */
  readonly audioFile: string;
}

interface SentInvite {
  readonly branch: string;
  readonly cseq: number;
  readonly uri: string;
  final: 'none' | '2xx' | 'failure';
}

const wantsContact = /^(INVITE|UPDATE|SUBSCRIBE|REFER|NOTIFY)$|^(1(?!00)\d\d|2\d\d) (INVITE|UPDATE|SUBSCRIBE)$/;

/** The scenario as sipp reads it. */
export function sippScenario(identity: PartyIdentity, steps: readonly Step[]): string {
  return new SippScript(identity).write(steps);
}

class SippScript {
  readonly #identity: PartyIdentity;
  readonly #variables = new Set<string>(['fold']);
  readonly #tagged = new Map<string, boolean>();
  #cseq: number;
  #branches = 0;
  #invite: SentInvite | undefined;
  /** Whether both tags are known. */
  #dialog = false;
  #from: string;
  #to: string;
  #requestUri: string;
  #last = { text: '', method: '' };

  constructor(identity: PartyIdentity) {
    this.#identity = identity;
    this.#cseq = identity.role === 'caller' ? 0 : 100;
    this.#from = `"${identity.number}" <sip:${identity.number}@[local_ip]>;tag=[pid]c`;
    this.#to = `<${identity.callsUri}>`;
    this.#requestUri = identity.callsUri;
  }

  write(steps: readonly Step[]): string {
    const written = steps.flatMap((step) => this.#step(step));
    return [
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<scenario name="flow">',
      // sipp strips blanks at the beginning of a line; a folded one begins with this variable.
      '<nop><action><assignstr assign_to="fold" value=" "/></action></nop>',
      ...written,
      `<Reference variables="${[...this.#variables].join(',')}"/>`,
      '</scenario>\n',
    ].join('\n');
  }

  #step(step: Step): string[] {
    switch (step.does) {
      case 'send':
        return [this.#send(step)];
      case 'hear':
        return this.#hear(step);
      case 'wait':
        return [`<pause milliseconds="${step.ms}"/>`];
      case 'speak':
        return [`<nop><action><exec rtp_stream="${this.#identity.audioFile},-1,0"/></action></nop>`];
      default:
        return unreachable(step);
    }
  }

  #send({ kind, how }: SendStep): string {
    const [status, answered] = kind.split(' ');
    if (answered !== undefined) return this.#wrap(this.#response(Number(status), answered, how), kind);
    if (how.again !== true) this.#last = { text: this.#request(kind, how), method: kind };
    return this.#wrap(this.#last.text, kind);
  }

  #wrap(text: string, kind: Kind): string {
    const repeats = kind === 'ACK' || (/ /.test(kind) && !/^2\d\d INVITE$/.test(kind)) ? '' : ' retrans="500"';
    return `<send${repeats}><![CDATA[\n${text}\n]]></send>`;
  }

  #request(method: string, how: Sent): string {
    const invite = this.#invite;
    // RFC 3261 §9.1, §17.1.1.3: CANCEL and the ACK of a failure belong to the INVITE's transaction.
    const ofInvite = method === 'CANCEL' || (method === 'ACK' && invite?.final !== '2xx');
    const sameNumber = ofInvite || method === 'ACK';
    const cseq = how.cseq ?? (sameNumber ? (invite?.cseq ?? 0) : this.#cseq + 1);
    if (!sameNumber) this.#cseq = cseq;
    this.#branches += ofInvite ? 0 : 1;
    const branch = how.branch ?? (ofInvite ? (invite?.branch ?? '') : `z9hG4bK[pid]s${this.#branches}`);
    const uri = how.uri ?? (ofInvite ? (invite?.uri ?? '') : this.#dialog ? '[$target]' : this.#requestUri);
    if (method === 'INVITE') this.#invite = { branch, cseq, uri, final: 'none' };
    if (typeof how.headers?.['From'] === 'string') this.#from = how.headers['From'];
    const inDialog = this.#dialog && method !== 'CANCEL';
    const answersFailure = method === 'ACK' && ofInvite;
    const called = this.#identity.role === 'called';
    const headers: Record<string, HeaderValue> = {
      Via: `SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch}`,
      'Max-Forwards': '70',
      From: called ? `[$local];tag=${partyAnswerTag}` : this.#from,
      To: called || inDialog || answersFailure ? '[$remote]' : this.#to,
      'Call-ID': '[call_id]',
      CSeq: `${cseq} ${method}`,
      ...(wantsContact.test(method) && { Contact: this.#contact }),
    };
    return message(`${method} ${uri} SIP/2.0`, headers, how);
  }

  #response(status: number, method: string, how: Sent): string {
    // Provisional and positive answers to the first INVITE make a dialog of ours.
    if (method === 'INVITE' && status > 100 && status < 300) this.#dialog = true;
    const tag = this.#tagged.get(method) === true || status === 100 ? '' : `;tag=${partyAnswerTag}`;
    const headers: Record<string, HeaderValue> = {
      Via: `[$via_${method}]`,
      From: `[$from_${method}]`,
      To: `[$to_${method}]${tag}`,
      'Call-ID': '[call_id]',
      CSeq: `[$cseq_${method}]`,
      ...(wantsContact.test(`${status} ${method}`) && { Contact: this.#contact }),
    };
    return message(`SIP/2.0 ${status} ${phraseOf(status)}`, headers, how);
  }

  get #contact(): string {
    return `<sip:${this.#identity.number}@[local_ip]:[local_port];transport=[transport]>`;
  }

  #hear(step: HearStep): string[] {
    const [status, answered] = step.kind.split(' ');
    const optional = step.anytime ? ' optional="global"' : '';
    if (answered === undefined)
      return [`<recv request="${step.kind}"${optional}>${this.#noteRequest(step.kind)}</recv>`];
    const auth = status === '401' || status === '407' ? ' auth="true"' : '';
    const own = `<recv response="${status}"${optional}${auth}>${this.#noteResponse(Number(status), answered)}</recv>`;
    // Whether a 100 comes is nobody's business but where a flow names it.
    const trying = answered === 'INVITE' && status !== '100' ? ['<recv response="100" optional="true"/>'] : [];
    return [...trying, own];
  }

  #noteRequest(method: string): string {
    const first = this.#identity.role === 'called' && !this.#dialog;
    const inviteTagged = this.#tagged.get('INVITE') === true;
    this.#tagged.set(method, method === 'CANCEL' ? inviteTagged : !first);
    const notes = ['Via', 'From', 'To', 'CSeq'].map((name) => this.#note(name, `${name.toLowerCase()}_${method}`));
    if (first && method === 'INVITE') notes.push(this.#note('From', 'remote'), this.#note('To', 'local'));
    if (/^(INVITE|UPDATE)$/.test(method)) notes.push(this.#noteTarget());
    return `<action>${notes.join('')}</action>`;
  }

  #noteResponse(status: number, method: string): string {
    if (method !== 'INVITE') return '';
    if (this.#invite !== undefined && status >= 200) this.#invite.final = status < 300 ? '2xx' : 'failure';
    if (status === 100) return '';
    const makesDialog = status < 300;
    if (makesDialog) this.#dialog = true;
    // The To of a called party's own re-INVITE is what it has sent.
    const remote = this.#identity.role === 'caller' ? [this.#note('To', 'remote')] : [];
    const notes = [...remote, ...(makesDialog ? [this.#noteTarget(), this.#note('RSeq', 'rseq')] : [])];
    return notes.length === 0 ? '' : `<action>${notes.join('')}</action>`;
  }

  #note(header: string, variable: string): string {
    this.#variables.add(variable);
    return `<ereg regexp="[^ ].*" search_in="hdr" header="${header}:" assign_to="${variable}"/>`;
  }

  #noteTarget(): string {
    this.#variables.add('contact').add('target');
    const uri = '&lt;(sip:[^&gt;]*)&gt;';
    return `<ereg regexp="${uri}" search_in="hdr" header="Contact:" assign_to="contact,target"/>`;
  }
}

function message(
  startLine: string,
  usual: Readonly<Record<string, HeaderValue>>,
  { headers, line, body }: Sent,
): string {
  const all: Record<string, HeaderValue> = {
    ...usual,
    ...headers,
    ...typeOf(body, headers),
    'Content-Length': headers?.['Content-Length'] ?? (body === undefined ? '0' : '[len]'),
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : typeof value === 'string' ? [`${name}: ${value}`] : value.map((one) => `${name}: ${one}`),
  );
  return [startLine, ...lines, ...(line === undefined ? [] : [line]), '', body?.text ?? ''].join('\n');
}

function typeOf(body: Body | undefined, headers: Sent['headers']): Record<string, HeaderValue> {
  return body === undefined || headers?.['Content-Type'] !== undefined ? {} : { 'Content-Type': body.type };
}

function unreachable(step: never): never {
  throw new TypeError(`unknown step ${JSON.stringify(step)}`);
}
