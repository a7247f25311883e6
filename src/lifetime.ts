/**
 * What must be freed: once, however often that is asked, and after the calls in flight. Later uses are an error that
 * says so, where the native side would answer with a message of its own or a corrupted heap.
 */
import { NinaError } from './errors.ts';

export class Lifetime implements Disposable {
  #disposed = false;
  #calls = 0;
  readonly #what: string;
  readonly #remedy: string;
  readonly #free: () => void;

  /**
   * @param what is owned, as a sentence begins: 'The policy'
   * @param remedy what to do instead of using it after disposal: 'load it again'
   */
  constructor(what: string, remedy: string, free: () => void = () => {}) {
    this.#what = what;
    this.#remedy = remedy;
    this.#free = free;
  }

  /** @throws NinaError after disposal. */
  check(): void {
    if (this.#disposed) throw new NinaError(`${this.#what} was disposed of; ${this.#remedy}.`);
  }

  /**
   * A call that needs what is owned until it ends.
   * @throws NinaError after disposal; as a rejection, as of any asynchronous function.
   */
  async during<T>(call: () => Promise<T>): Promise<T> {
    this.check();
    this.#calls++;
    try {
      return await call();
    } finally {
      this.#calls--;
      if (this.#disposed && this.#calls === 0) this.#free();
    }
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#calls === 0) this.#free();
  }
}
