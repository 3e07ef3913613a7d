// Times of a document (RFC 7865 §6.9): RFC 3339 with capital T and Z, and nothing ends before it begins.
import { quoted } from '../siprec-error.js';
import type { Report } from './finding.js';
import { childrenNamed, type TreeElement } from './metadata-tree.js';
import { typeFault } from './simple-types.js';

const spans = [
  ['start-time', 'stop-time'],
  ['associate-time', 'disassociate-time'],
] as const;
const rfc3339 = /^\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Reports on the times of every child of the root. What is no time at all is the grammar's to report. */
export function checkTimes(root: TreeElement, report: Report): void {
  const finding = (element: TreeElement, text: string, cure: string) =>
    report({ name: 'metadata-time', clause: 'RFC 7865 §6.9', place: element.place(), text, cure });
  for (const element of root.children) {
    for (const [begin, end] of spans) {
      const [from, until] = [childrenNamed(element, begin)[0], childrenNamed(element, end)[0]];
      for (const time of [from, until]) {
        if (time === undefined || typeFault('dateTime', time.text) || rfc3339.test(time.text.trim())) continue;
        finding(
          time,
          `${quoted(time.text)} has no time zone, or a form that RFC 3339 does not have`,
          'end it in Z or +hh:mm',
        );
      }
      if (from === undefined || until === undefined) continue;
      if (Date.parse(until.text.trim()) < Date.parse(from.text.trim())) {
        finding(until, `${end} is before ${begin}`, 'compare the clocks that both come from');
      }
    }
  }
}
