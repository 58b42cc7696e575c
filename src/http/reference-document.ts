import { z } from "@hono/zod-openapi";

const schemaObject = z.record(z.string(), z.unknown());
const media = z.record(
  z.string(),
  z.object({ schema: schemaObject.optional(), example: z.unknown().optional() }),
);

const operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  description: z.string().optional(),
  tags: z.array(z.string()),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        required: z.boolean().optional(),
        description: z.string().optional(),
        schema: schemaObject.default({}),
      }),
    )
    .default([]),
  requestBody: z.object({ description: z.string().optional(), content: media }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string(), content: media.optional() })),
});

const documentShape = z.object({
  info: z.object({ title: z.string(), description: z.string() }),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), schemaObject) }),
});

/** The part of an OpenAPI document that the reference page draws. */
export type ReferenceDocument = z.infer<typeof documentShape>;
export type JsonSchema = z.infer<typeof schemaObject>;

/** One operation of the document, and where it is. */
export interface ReferenceOperation extends z.infer<typeof operation> {
  readonly method: string;
  readonly path: string;
}

/** Reads what the page needs of an OpenAPI document; throws a `ZodError` when it is not there. */
export function readDocument(document: unknown): ReferenceDocument {
  return documentShape.parse(document);
}

/** The operations under one tag, in the order of the document. */
export function operationsOf(
  document: ReferenceDocument,
  tag: string,
): readonly ReferenceOperation[] {
  return Object.entries(document.paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, found]) => ({ ...found, method, path })),
    )
    .filter(({ tags }) => tags.includes(tag));
}

/** The example of a schema: its own, or that of the schema it refers to. */
export function exampleOf(document: ReferenceDocument, schema: JsonSchema | undefined): unknown {
  if (schema === undefined) return undefined;
  if (schema["example"] !== undefined) return schema["example"];
  const name = refName(schema);
  if (name !== undefined) return exampleOf(document, document.components.schemas[name]);
  return exampleOf(document, schemasIn(schema["anyOf"])[0]);
}

/** The name of the schema that a `$ref` points to. */
export function refName(schema: JsonSchema): string | undefined {
  const ref = schema["$ref"];
  return typeof ref === "string" ? ref.slice(ref.lastIndexOf("/") + 1) : undefined;
}

/** The schemas in a value that should be a list or a record of them. */
export function schemasIn(value: unknown): readonly JsonSchema[] {
  const found = z.array(schemaObject).safeParse(value);
  return found.success ? found.data : [];
}

/** The properties of an object schema by name. */
export function propertiesOf(schema: JsonSchema): readonly (readonly [string, JsonSchema])[] {
  const found = z.record(z.string(), schemaObject).safeParse(schema["properties"]);
  return found.success ? Object.entries(found.data) : [];
}
