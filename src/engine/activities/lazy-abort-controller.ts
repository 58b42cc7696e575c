/** An `AbortController` that is made when somebody looks at its signal: few do, and it is dear. */
export class LazyAbortController {
  #controller: AbortController | undefined;
  #isAborted = false;

  /** Made when it is first looked at. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }
}
