/** The style of the reference page and of the pages about problems; light or dark as the reader's system is. */
export const referenceStyle = `:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf7, #14161a);
  --raised: light-dark(#ffffff, #1b1e24);
  --line: light-dark(#e6e2d9, #2b2f38);
  --ink: light-dark(#1d2129, #e7e9ee);
  --soft: light-dark(#646b78, #98a0ae);
  --accent: light-dark(#0b6b5e, #5fd0bd);
  --panel: #171b22;
  --panel-ink: #dfe4ec;
  --get: light-dark(#1d5fb8, #7fb2f5);
  --post: light-dark(#197544, #69d397);
  --put: light-dark(#a15c07, #efb05a);
  --bad: light-dark(#b3261e, #f08b84);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace;
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 2rem; }
body {
  margin: 0; display: grid; grid-template-columns: 17rem minmax(0, 1fr);
  background: var(--paper); color: var(--ink);
  font: 15px/1.6 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, pre { font-family: var(--mono); font-size: .88em; }
small { color: var(--soft); font-size: .85em; font-weight: 400; }
h1 { font-size: 2.1rem; line-height: 1.2; letter-spacing: -.02em; margin: 0; }
h2 { font-size: 1.5rem; letter-spacing: -.01em; margin: 0 0 .2rem; }
h3 { font-size: 1.1rem; margin: 0 0 .4rem; }
h4 { font-size: .74rem; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin: 1.4rem 0 .3rem; }
p { margin: .3rem 0 .8rem; }

nav {
  position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.6rem 1rem 2rem 1.4rem;
  border-right: 1px solid var(--line); font-size: .88rem;
}
nav .brand { display: block; font-size: 1.15rem; font-weight: 700; letter-spacing: -.02em; color: var(--ink); margin-bottom: 1rem; }
nav .brand span { color: var(--accent); margin-left: .35em; }
nav h2 { font-size: .72rem; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); margin: 1.3rem 0 .3rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; padding: .22rem .5rem; margin-left: -.5rem; border-radius: 6px; color: var(--ink); }
nav li a:has(b) { display: grid; grid-template-columns: 2.9rem 1fr; align-items: start; line-height: 1.35; }
nav li a b { margin-top: .05rem; font-size: .62rem; min-width: 0; justify-self: start; }
nav li[hidden] { display: none; }
nav li a:hover { background: var(--line); text-decoration: none; }
nav li a[aria-current] { background: color-mix(in srgb, var(--accent) 14%, transparent); color: var(--accent); }
input {
  font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line);
  border-radius: 6px; padding: .3rem .55rem;
}
nav input { width: 100%; }

main { padding: 2.6rem clamp(1.2rem, 4vw, 3.5rem) 6rem; max-width: 84rem; }
.lead { font-size: 1.1rem; color: var(--soft); margin: .5rem 0 1.4rem; }
#names {
  display: flex; flex-wrap: wrap; gap: .6rem 1.2rem; align-items: center;
  padding: .8rem 1rem; border: 1px solid var(--line); border-left: 3px solid var(--accent);
  border-radius: 8px; background: var(--raised);
}
#names p { margin: 0; color: var(--soft); }
#names label { font-family: var(--mono); font-size: .85rem; }
#names input { margin-left: .4rem; width: 11rem; }
section { margin-top: 3.2rem; }
section > p { color: var(--soft); }

.operation {
  display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 27rem); gap: 0 2.6rem;
  padding: 1.8rem 0; border-top: 1px solid var(--line);
}
.text { min-width: 0; }
.route code { font-size: .95em; overflow-wrap: anywhere; }
b.get, b.post, b.put, b.delete {
  display: inline-block; min-width: 3.1em; text-align: center; padding: 0 .4em; border-radius: 4px; text-transform: uppercase;
  font: 700 .68rem/1.7 var(--mono); color: var(--of); background: color-mix(in srgb, var(--of) 13%, transparent);
}
.get { --of: var(--get); } .post { --of: var(--post); } .put { --of: var(--put); } .delete { --of: var(--bad); }
.fields { margin: 0; }
.fields > div { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: 1rem; padding: .45rem 0; border-top: 1px solid var(--line); }
.fields > div:first-child { border-top: 0; }
.fields dt { overflow-wrap: anywhere; } .fields dd { margin: 0; }
.type { color: var(--soft); font-size: .88em; margin-right: .5em; }
.answers { list-style: none; margin: 0; padding: 0; }
.answers li { display: grid; grid-template-columns: 3.2rem minmax(0, 1fr); padding: .3rem 0; align-items: baseline; }
.status { font: 600 .82rem var(--mono); --of: var(--soft); color: var(--of); }
.s2 { --of: var(--post); } .s4 { --of: var(--put); } .s5 { --of: var(--bad); }

.code { align-self: start; position: sticky; top: 1.4rem; min-width: 0; }
figure { margin: 0 0 .9rem; background: var(--panel); color: var(--panel-ink); border: 1px solid #2a303b; border-radius: 9px; overflow: hidden; }
figcaption { display: flex; gap: .5rem; align-items: center; padding: .4rem .8rem; border-bottom: 1px solid #2a303b; color: #98a3b3; font-size: .78rem; }
figcaption button { font: inherit; color: #c6cfdb; background: #262c36; border: 0; border-radius: 5px; padding: .1rem .6rem; cursor: pointer; }
figcaption button:hover { background: #343c49; }
figcaption button:first-of-type { margin-left: auto; }
pre { margin: 0; padding: .8rem; overflow: auto; max-height: 24rem; line-height: 1.55; white-space: pre-wrap; overflow-wrap: anywhere; }
pre u { text-decoration: none; } pre i { font-style: normal; color: #6fd6c3; }

.schema { padding: 1.1rem 1.3rem; margin: .9rem 0; background: var(--raised); border: 1px solid var(--line); border-radius: 9px; }
.schema :target, .schema:target { border-color: var(--accent); }
details { border-top: 1px solid var(--line); padding: .35rem 0; } .plain { margin: 0; border-top: 1px solid var(--line); padding: .35rem 0 .35rem 1.05rem; }
summary { cursor: pointer; }

.note { display: block; } .note main { max-width: 42rem; margin: 10vh auto 0; }
.note h1 { margin-bottom: .8rem; } .note h2 { font-size: 1rem; margin-top: 1.6rem; }

@media (max-width: 72rem) { .operation { grid-template-columns: minmax(0, 1fr); } .code { position: static; margin-top: 1.2rem; } }
@media (max-width: 52rem) {
  body { display: block; } nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
  .fields > div { grid-template-columns: minmax(0, 1fr); gap: 0; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
`;
