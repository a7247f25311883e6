import { afterEach, describe, expect, test, vi } from 'vitest';
import { createStatus } from './progress.ts';

/** What a status writes to a stderr of this kind. */
function written(terminal: boolean, TERM: string): string {
  const text: string[] = [];
  vi.stubEnv('TERM', TERM);
  vi.spyOn(process.stderr, 'write').mockImplementation((piece) => text.push(String(piece)) > 0);
  const descriptor = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
  Object.defineProperty(process.stderr, 'isTTY', { value: terminal, configurable: true });
  try {
    const status = createStatus(0);
    status.show('half');
    status.keep('done');
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
});
