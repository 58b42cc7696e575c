import { Hono } from "hono";
import { html } from "hono/html";
import { isProblemCode, problemKinds } from "./problem-catalog.ts";
import { mountOf, refusal } from "./problems.ts";

/** The pages that the `type` of a problem resolves to: HTML for a browser, JSON for a program. */
export function problemPages(): Hono {
  const pages = new Hono();
  pages.get("/problems/:code", (c) => {
    const code = c.req.param("code");
    if (!isProblemCode(code)) throw refusal("not-found", `There is no problem "${code}".`);
    const kind = problemKinds[code];
    if (!(c.req.header("accept") ?? "").includes("text/html"))
      return c.json({ code, ...kind }, 200);
    const mount = mountOf(c);
    return c.html(
      html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${kind.title}</title>
<link rel="stylesheet" href="${mount}/docs/style.css">
</head>
<body class="note">
<main>
<p><span class="status s${String(kind.status)[0]}">${kind.status}</span> <code>${code}</code></p>
<h1>${kind.title}</h1>
<p>${kind.meaning}</p>
<h2>What to do</h2>
<p>${kind.action}</p>
<p><a href="${mount}/docs">API reference</a></p>
</main>
</body>
</html>`,
    );
  });
  return pages;
}
