/**
 * ONNX Runtime, from 1.29 on, keeps a device id in the user's cache folder and sends events to its vendor unless
 * ORT_DISABLE_TELEMETRY=1 is in the process' environment when its first session opens. Here that is the default; whoever
 * has set the variable, to whatever, keeps what they set.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { NinaError } from '../errors.ts';

const VARIABLE = 'ORT_DISABLE_TELEMETRY';
/** Tells workers that the main thread has loaded this module before it started them. */
const SETTLED = `nina-vla:${VARIABLE}`;
/** The main thread answers in a millisecond, also while it computes or waits for an Atomic; not inside a native call. */
const PATIENCE_MS = 10_000;

if (isMainThread) {
  process.env[VARIABLE] ??= '1';
  setEnvironmentData(SETTLED, true);
}

/**
 * To be awaited before the engine is loaded. A worker thread has only a copy of the environment, which native code does
 * not see; so one whose main thread never loaded this module sets the variable there, over the inspector's session
 * inside the process (no port is opened).
 * @throws NinaError when the main thread does not answer and the variable is not set.
 */
export async function settleTelemetry(): Promise<void> {
  if (isMainThread || getEnvironmentData(SETTLED)) return;
  const own = process.env[VARIABLE];
  try {
    await evaluateInMainThread(`process.env.${VARIABLE} ??= ${JSON.stringify(own ?? '1')}`);
  } catch (cause) {
    // A worker's copy holds the variable because the environment does.
    if (own !== undefined) return;
    throw new NinaError(
      `A worker thread could not turn off ONNX Runtime's telemetry: ${(cause as Error).message} Start Node with ${VARIABLE}=1 ` +
        "in its environment, or import 'nina-vla/engine' in the main thread before it starts workers.",
      { cause },
    );
  }
}

async function evaluateInMainThread(expression: string): Promise<void> {
  const { Session } = await import('node:inspector');
  const session = new Session();
  session.connectToMainThread();
  try {
    await new Promise<void>((resolve, reject) => {
      const late = () => reject(new Error(`The main thread did not answer for ${PATIENCE_MS / 1000} s.`));
      // The timer also keeps this thread alive: a session does not.
      const timer = setTimeout(late, PATIENCE_MS);
      session.post('Runtime.evaluate', { expression }, (error, answer) => {
        clearTimeout(timer);
        if (error) reject(error);
        else if (answer.exceptionDetails) reject(new Error(`${answer.exceptionDetails.exception?.description}.`));
        else resolve();
      });
    });
  } finally {
    session.disconnect();
  }
}
