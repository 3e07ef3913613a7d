/** What an operator can do to a call: when it makes sense, and what the page says before and after. */
import type { RecordingAction } from '../api/gateway.js';
import type { Call } from '../api/shapes.js';
import { currentRecording } from './conditions.js';

export interface Action {
  readonly name: RecordingAction | 'end';
  readonly label: string;
  readonly question: string;
  /** What it will mean for the people in the call. */
  readonly consequence: string;
  readonly done: string;
  readonly isDestructive: boolean;
}

const actions: Readonly<Record<Action['name'], Omit<Action, 'name'>>> = {
  pause: {
    label: 'Pause recording',
    question: 'Pause the recording?',
    consequence: 'No more audio reaches the recorder until it is resumed. The call goes on.',
    done: 'Recording paused.',
    isDestructive: false,
  },
  resume: {
    label: 'Resume recording',
    question: 'Resume the recording?',
    consequence: 'Audio reaches the recorder again, unless somebody else wants it paused as well.',
    done: 'Recording resumed.',
    isDestructive: false,
  },
  start: {
    label: 'Start recording',
    question: 'Start to record this call?',
    consequence: 'A new recording begins at the tenant’s recorder.',
    done: 'Recording started.',
    isDestructive: false,
  },
  stop: {
    label: 'Stop recording',
    question: 'Stop the recording for good?',
    consequence: 'This recording can’t be continued; another can be started. The call goes on.',
    done: 'Recording stopped.',
    isDestructive: true,
  },
  end: {
    label: 'End call',
    question: 'End this call?',
    consequence: 'Both parties are cut off at once.',
    done: 'Call ended.',
    isDestructive: true,
  },
};

const recordedPhases = ['active', 'paused', 'waiting'];

/** What can be done to the call now, in the order of buttons. */
export function actionsFor(call: Call): readonly Action[] {
  return namesFor(call).map((name) => ({ name, ...actions[name] }));
}

function namesFor(call: Call): readonly Action['name'][] {
  // Nobody is there who could do it.
  if (call.phase === 'closing' || call.silent === true) return [];
  const recording = currentRecording(call);
  if (recording !== undefined && recordedPhases.includes(recording.phase))
    return [recording.pausedBy.includes('operator') ? 'resume' : 'pause', 'stop', 'end'];
  const canStart = call.answeredAt !== undefined && (recording === undefined || recording.phase === 'ended');
  return canStart ? ['start', 'end'] : ['end'];
}
