import { z } from "zod";
import { problemKinds } from "../../src/http/problem-catalog.ts";

/** One route of an OpenAPI document. */
export interface Operation {
  readonly path: string;
  readonly method: string;
  readonly query: readonly string[];
  readonly responses: Readonly<Record<string, Response>>;
}

interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}

type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components?: { readonly schemas?: object };
};

interface RawOperation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly responses: Operation["responses"];
}

/** What any problem must have, whatever the document says. */
const anyProblem = z.object({
  type: z.string(),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  code: z.enum(Object.keys(problemKinds) as [string, ...string[]]),
  action: z.string().min(1),
  retryable: z.boolean(),
});

/** What the interface promises of its answers, read from the document that it hands out. */
export class Documented {
  readonly operations: readonly Operation[];
  readonly #schemas: object;
  readonly #checks = new Map<object, z.ZodType>();

  constructor(document: unknown) {
    const { paths, components } = document as Document;
    this.#schemas = renamed(components?.schemas ?? {});
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [], responses }]) => ({
        path,
        method: method.toUpperCase(),
        query: parameters.filter((one) => one.in === "query").map(({ name }) => name),
        responses,
      })),
    );
  }

  /** What is wrong with an answer; none when it is as documented. */
  faults(operation: Operation, answer: { status: number; type: string; text: string }): string[] {
    const { status, type, text } = answer;
    const described = operation.responses[String(status)];
    if (described === undefined) return [`status ${status} is not documented: ${text}`];
    const found = status >= 400 && status !== 503 ? problemFaults(described, answer) : [];
    const media = type.split(";")[0] ?? "";
    const schema = described.content?.[media]?.schema;
    if (schema === undefined) {
      return text === "" ? found : [...found, `${status} as "${media}" is not documented`];
    }
    const read = this.#check(schema).safeParse(JSON.parse(text));
    return read.success ? found : [...found, `${text}: ${z.prettifyError(read.error)}`];
  }

  #check(schema: object): z.ZodType {
    const known = this.#checks.get(schema);
    if (known !== undefined) return known;
    const whole = { ...renamed(schema), $defs: this.#schemas };
    const check = z.fromJSONSchema(whole as Parameters<typeof z.fromJSONSchema>[0]);
    this.#checks.set(schema, check);
    return check;
  }
}

/** Every problem has the form of RFC 9457 and says what to do; its code is one that the route admits. */
function problemFaults(
  described: Response,
  { status, type, text }: { status: number; type: string; text: string },
): string[] {
  if (type !== "application/problem+json") return [`${status} is "${type}": ${text}`];
  const problem = anyProblem.safeParse(JSON.parse(text));
  if (!problem.success) return [`${text}: ${z.prettifyError(problem.error)}`];
  const { code } = problem.data;
  const isNamed = described.description.includes(`\`${code}\``);
  return isNamed ? [] : [`${code} is not documented: ${text.slice(0, 300)}`];
}

/** References as JSON Schema alone has them. */
function renamed(schema: unknown): object {
  return JSON.parse(
    JSON.stringify(schema).replaceAll("#/components/schemas/", "#/$defs/"),
  ) as object;
}
