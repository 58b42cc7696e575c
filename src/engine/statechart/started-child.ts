/** A child that a step has asked for, until it is entered into the actor's account: XState's own would be a whole actor. */
export class StartedChild {
  readonly id: string;
  readonly src: string;
  /** Only of actors without an id is it the same as the id. */
  readonly sessionId = "";
  readonly #input: unknown;

  constructor(id: string, src: string, input: unknown) {
    this.id = id;
    this.src = src;
    this.#input = input;
  }

  getSnapshot(): { readonly status: "active"; readonly input: unknown } {
    return { status: "active", input: this.#input };
  }
}
