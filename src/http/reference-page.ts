import { html } from "hono/html";
import type { WorkflowView } from "../engine/client.ts";
import { problemKinds } from "./problem-catalog.ts";
import {
  exampleOf,
  operationsOf,
  type ReferenceDocument,
  type ReferenceOperation,
} from "./reference-document.ts";
import { fieldRow, type Html, prose, schemaSection, typeOf } from "./reference-schema.ts";

/** What the reference page shows. */
export interface Reference {
  readonly document: ReferenceDocument;
  readonly workflows: readonly WorkflowView[];
  /** The path that the routes are mounted at, and the same with scheme and host. */
  readonly mount: string;
  readonly origin: string;
}

/** The reference page: every operation with a command to copy, the workflows, the problems, the schemas. */
export function referencePage(reference: Reference): Html {
  const { document, mount } = reference;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${document.info.title} API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${mount}/docs/style.css">
<script src="${mount}/docs/script.js" defer></script>
</head>
<body>
<nav aria-label="Contents">
<a class="brand" href="#top">${document.info.title}<span>API</span></a>
<input id="filter" type="search" placeholder="Filter" aria-label="Filter the operations">
${document.tags.map(({ name }) => navGroup(document, name))}
<h2>More</h2>
<ul>
<li><a href="#workflows">Workflows here</a></li>
<li><a href="#problems">Problems</a></li>
<li><a href="#schemas">Schemas</a></li>
<li><a href="${mount}/openapi.json">openapi.json</a></li>
</ul>
</nav>
<main id="top">
<header>
<h1>${document.info.title} API</h1>
<p class="lead">${document.info.description}</p>
<form id="names">
<p>Fill in the commands below:</p>
<label>workflow <input name="workflow" value="${reference.workflows[0]?.name ?? "order"}"></label>
<label>id <input name="id" value="ada"></label>
</form>
</header>
${document.tags.map(({ name, description }) => tagSection(reference, name, description))}
${workflowSection(reference.workflows)}
${problemSection(mount)}
${schemaSection(document)}
</main>
</body>
</html>`;
}

function navGroup(document: ReferenceDocument, tag: string): Html {
  return html`<h2>${tag}</h2>
<ul>${operationsOf(document, tag).map(
    ({ operationId, method, summary, path }) =>
      html`<li data-find="${`${method} ${path} ${summary}`.toLowerCase()}"><a href="#${operationId}"><b class="${method}">${method}</b> ${summary}</a></li>`,
  )}</ul>`;
}

function tagSection(reference: Reference, tag: string, description: string): Html {
  return html`<section>
<h2>${tag}</h2>
<p>${description}</p>
${operationsOf(reference.document, tag).map((operation) => operationArticle(reference, operation))}
</section>`;
}

function operationArticle(reference: Reference, operation: ReferenceOperation): Html {
  const { operationId, method, path, summary, description, parameters } = operation;
  return html`<article class="operation" id="${operationId}">
<div class="text">
<h3>${summary}</h3>
<p class="route"><b class="${method}">${method}</b> <code>${path}</code></p>
${description === undefined ? "" : html`<p>${prose(description)}</p>`}
${["path", "query", "header"].map((place) =>
  parameterList(
    place,
    parameters.filter((parameter) => parameter.in === place),
  ),
)}
<h4>Answers</h4>
<ul class="answers">${Object.entries(operation.responses).map(
    ([status, answer]) =>
      html`<li><span class="status s${status.slice(0, 1)}">${status}</span> <span>${prose(answer.description)} ${answerType(answer.content)}</span></li>`,
  )}</ul>
</div>
<div class="code">${commandPanel(reference, operation)}${examplePanel(reference, operation)}</div>
</article>`;
}

function parameterList(place: string, parameters: ReferenceOperation["parameters"]): Html | "" {
  if (parameters.length === 0) return "";
  const rows = parameters.map(({ name, required, schema, description }) =>
    fieldRow({
      name,
      note: required === true ? "" : "optional",
      type: typeOf(schema),
      description: description ?? "",
    }),
  );
  const title = { path: "In the path", query: "In the query", header: "Headers" }[place];
  return html`<h4>${title}</h4><dl class="fields">${rows}</dl>`;
}

function answerType(content: ReferenceOperation["responses"][string]["content"]): Html | "" {
  const schema = content?.["application/json"]?.schema;
  return schema === undefined ? "" : html`<span class="type">${typeOf(schema)}</span>`;
}

function commandPanel({ origin }: Reference, operation: ReferenceOperation): Html {
  const { method, path, requestBody } = operation;
  const body = requestBody?.content["application/json"]?.example;
  const url = path
    .split(/[{}]/)
    .map((part, index) => (index % 2 === 1 ? html`<i data-name="${part}">${part}</i>` : part));
  const verb = method === "get" ? "" : `-X ${method.toUpperCase()} `;
  const data =
    body === undefined
      ? ""
      : ` \\\n  -H 'content-type: application/json' \\\n  -d '${JSON.stringify(body)}'`;
  return html`<figure><figcaption>Request${
    method === "get" ? html` <button type="button" data-do="run">Run</button>` : ""
  } <button type="button" data-do="copy">Copy</button></figcaption>
<pre><code>curl ${verb}'<u>${origin}${url}</u>'${data}</code></pre></figure>`;
}

function examplePanel({ document }: Reference, { responses }: ReferenceOperation): Html | "" {
  const status = responses["201"] === undefined ? "200" : "201";
  const media = responses[status]?.content?.["application/json"];
  const example = media?.example ?? exampleOf(document, media?.schema);
  if (example === undefined) return html`<figure class="answer" hidden></figure>`;
  return html`<figure class="answer"><figcaption>Answer <span>${status}</span></figcaption>
<pre><code>${JSON.stringify(example, undefined, 2)}</code></pre></figure>`;
}

function workflowSection(workflows: readonly WorkflowView[]): Html {
  return html`<section id="workflows">
<h2>Workflows here</h2>
${workflows.length === 0 ? html`<p>None is known to this server at the moment.</p>` : ""}
${workflows.map(
  ({ name, versions, startedBy, input, events }) => html`<article class="schema">
<h3>${name} <small>version ${versions.join(", ")}</small></h3>
${startedBy.length === 0 ? "" : html`<p>Started by ${startedBy.map((type) => html`<code>${type}</code> `)}</p>`}
${input === undefined ? "" : schemaDetails("input", input)}
${events.map(({ type, schema }) => schemaDetails(type, schema))}
</article>`,
)}
</section>`;
}

function schemaDetails(name: string, schema: unknown): Html {
  if (schema === undefined) return html`<p class="plain"><code>${name}</code></p>`;
  const text = JSON.stringify(schema, undefined, 2);
  return html`<details><summary><code>${name}</code></summary><pre><code>${text}</code></pre></details>`;
}

function problemSection(mount: string): Html {
  return html`<section id="problems">
<h2>Problems</h2>
<p>Every refusal is <code>application/problem+json</code> (RFC 9457), with a <code>code</code> to branch on and the next <code>action</code>.</p>
<ul class="answers">${Object.entries(problemKinds).map(
    ([code, { status, title, action }]) =>
      html`<li><span class="status s${String(status).slice(0, 1)}">${status}</span> <span><a href="${mount}/problems/${code}">${code}</a> ${title}. <small>${action}</small></span></li>`,
  )}</ul>
</section>`;
}
