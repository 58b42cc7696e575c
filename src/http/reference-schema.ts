import { html } from "hono/html";
import {
  type JsonSchema,
  propertiesOf,
  type ReferenceDocument,
  refName,
  schemasIn,
} from "./reference-document.ts";

/** A piece of the page. */
export type Html = ReturnType<typeof html>;

/** Text in which `backticks` mark code. */
export function prose(text: string): Html {
  const parts = text.split("`");
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/** What a schema allows, in a few words; names of other schemas are links. */
export function typeOf(schema: JsonSchema): Html {
  const name = refName(schema);
  if (name !== undefined) return html`<a href="#schema-${name}">${name}</a>`;
  if (schema["const"] !== undefined) return html`<code>${JSON.stringify(schema["const"])}</code>`;
  const choices = schemasIn(schema["anyOf"] ?? schema["oneOf"]);
  if (choices.length > 0) return between(choices.map(typeOf), " or ");
  if (Array.isArray(schema["enum"])) {
    return between(
      schema["enum"].map((value) => html`<code>${String(value)}</code>`),
      " | ",
    );
  }
  const [items] = schemasIn([schema["items"]]);
  if (items !== undefined) return html`array of ${typeOf(items)}`;
  const base = typeof schema["type"] === "string" ? schema["type"] : "any JSON";
  return html`${schema["format"] === "date-time" ? "time (ISO 8601)" : base}${rangeOf(schema)}`;
}

/** The definition of every named schema. */
export function schemaSection(document: ReferenceDocument): Html {
  const schemas = Object.entries(document.components.schemas);
  return html`<section id="schemas">
<h2>Schemas</h2>
${schemas.map(
  ([name, schema]) => html`<article class="schema" id="schema-${name}">
<h3>${name}</h3>
${propertyList(schema)}
</article>`,
)}
</section>`;
}

function propertyList(schema: JsonSchema): Html {
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const rows = propertiesOf(schema).map(([name, property]) =>
    fieldRow({
      name,
      note: required.includes(name) ? "" : "optional",
      type: propertyType(property),
      description: descriptionOf(property),
    }),
  );
  return rows.length === 0 ? html`<p>${typeOf(schema)}</p>` : html`<dl class="fields">${rows}</dl>`;
}

/** One line of a list of parameters or properties. */
export function fieldRow(field: {
  readonly name: string;
  readonly note: string;
  readonly type: Html;
  readonly description: string;
}): Html {
  return html`<div><dt><code>${field.name}</code> <small>${field.note}</small></dt>
<dd><span class="type">${field.type}</span> ${prose(field.description)}</dd></div>`;
}

function propertyType(schema: JsonSchema): Html {
  const [items] = schemasIn([schema["items"]]);
  const inner = propertiesOf(items ?? schema).map(([name]) => name);
  if (inner.length === 0) return typeOf(schema);
  return html`${items === undefined ? "object" : "array of objects"}: <code>${inner.join(", ")}</code>`;
}

function descriptionOf(schema: JsonSchema): string {
  return typeof schema["description"] === "string" ? schema["description"] : "";
}

function rangeOf(schema: JsonSchema): string {
  const { minimum, maximum } = schema;
  const range =
    typeof maximum === "number" && maximum < 1e9 ? `, ${String(minimum)} to ${maximum}` : "";
  return schema["default"] === undefined
    ? range
    : `${range}, default ${JSON.stringify(schema["default"])}`;
}

function between(parts: readonly Html[], separator: string): Html {
  return html`${parts.map((part, index) => (index === 0 ? part : html`${separator}${part}`))}`;
}
