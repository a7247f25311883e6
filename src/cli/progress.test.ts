import { afterEach, describe, expect, test, vi } from 'vitest';
import { asStage, type Reporter } from '../progress.ts';
import { createReporter, createStatus } from './progress.ts';

const halfDone = () => {
  const status = createStatus(0);
  status.show('half');
  status.keep('done');
};

/** What is written to a stderr of this kind. */
function written(terminal: boolean, TERM: string, work: () => void = halfDone): string {
  const text: string[] = [];
  vi.stubEnv('TERM', TERM);
  vi.spyOn(process.stderr, 'write').mockImplementation((piece) => text.push(String(piece)) > 0);
  const descriptor = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
  Object.defineProperty(process.stderr, 'isTTY', { value: terminal, configurable: true });
  try {
    work();
  } finally {
    if (descriptor) Object.defineProperty(process.stderr, 'isTTY', descriptor);
    else delete (process.stderr as { isTTY?: boolean }).isTTY;
  }
  return text.join('');
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('progress', () => {
  test('rewrites its line on a terminal that can', () => {
    expect(written(true, 'xterm')).toBe('\r\x1b[2Khalf\r\x1b[2Kdone\n');
  });

  test('is plain lines elsewhere, and on a terminal that says it cannot', () => {
    expect(written(false, 'xterm')).toBe('half\ndone\n');
    expect(written(true, 'dumb')).toBe('half\ndone\n');
  });

  /** Durations are 0 s: nothing is waited for. */
  const told = (work: (report: Reporter) => void) => written(false, 'xterm', () => work(createReporter()));

  test('tells where a stage begins and where it ends; between, on no terminal, only now and then', () => {
    const at = (stage: string, done: number) => ({ stage, done, total: 3, note: `${done} successful` });
    expect(
      told((report) => {
        for (const done of [1, 2, 3]) report.progress(at('Recording', done));
        report.notice('The lock was stale.');
        for (const done of [0, 3]) report.progress(at('Evaluating', done));
      }),
    ).toBe(
      'Recording: 1/3, 1 successful\nRecording: 3/3, 3 successful in 0 s\nThe lock was stale.\n' +
        'Evaluating: 0/3, 0 successful\nEvaluating: 3/3, 3 successful in 0 s\n',
    );
  });

  test('work with nothing left to do is told in one line, and the same stage may begin again', () => {
    const done = { stage: 'Evaluating', done: 3, total: 3, note: '2 successful' };
    expect(
      told((report) => {
        report.progress(done);
        report.progress(done);
      }),
    ).toBe('Evaluating: 3/3, 2 successful in 0 s\n'.repeat(2));
  });

  test('rewrites the line of a stage with the time left', () => {
    const at = (done: number) => ({ stage: 'Training', done, total: 2, note: 'loss 1' });
    const text = written(true, 'xterm', () => {
      const report = createReporter();
      for (const done of [0, 1, 2]) report.progress(at(done));
    });
    expect(text.split('\r\x1b[2K')).toEqual([
      '',
      'Training: 0/2, loss 1\n',
      'Training: 1/2, loss 1, 0 s left',
      'Training: 2/2, loss 1 in 0 s\n',
    ]);
  });

  test('of a part is told under the name of the whole', () => {
    const now = { stage: 'Evaluating', done: 0, total: 1, note: '' };
    expect(told((report) => asStage('1/9 z = 0', report).progress(now))).toBe('1/9 z = 0: 0/1, \n');
  });
});
