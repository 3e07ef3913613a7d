import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import type { CallPhase } from '../domain/call-state.js';
import { measureStates } from './state-metrics.js';

const recording = (phase: string) => ({ recordingId: 'r', recorderCallId: 'c', phase, recorder: '', pausedBy: [] });
const call = (phase: CallPhase, ...phases: string[]) => ({ phase, recordings: phases.map(recording) });

test('each live call and recording is in one state, and states without any are there at 0', async () => {
  const metrics = new Registry();
  let views = [
    call('dialling', 'inviting'),
    call('talking', 'ended', 'active', 'paused'),
    call('talking', 'waiting'),
    call('closing', 'stopping-while-starting'),
    call('ended', 'ended'),
  ];
  measureStates(metrics, () => views);
  const values = async (name: string) => {
    const { values = [] } = (await metrics.getSingleMetric(name)?.get()) ?? {};
    return Object.fromEntries(values.map(({ labels, value }) => [labels['state'], value]));
  };
  assert.deepEqual(await values('sidestream_calls_by_state'), { connecting: 1, talking: 2, closing: 1 });
  const recordings = { connecting: 2, active: 1, paused: 1, stopping: 1 };
  assert.deepEqual(await values('sidestream_recordings_by_state'), recordings);
  views = [];
  assert.deepEqual(await values('sidestream_calls_by_state'), { connecting: 0, talking: 0, closing: 0 });
});
