/** The stylesheet: light and dark, from a phone to a wide screen. */
export const STYLE = `
:root {
  --ground: #fbfaf7; --card: #fff; --ink: #1d1b18; --soft: #6a655d; --line: #e4dfd6; --accent: #1f5f4a;
  --on-accent: #fff; --bad: #a3261b; --frame: #f1ede5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #161513; --card: #1f1d1a; --ink: #f3efe8; --soft: #aaa399; --line: #37332d; --accent: #7fd1b0;
    --on-accent: #10251c; --bad: #ff9d92; --frame: #282520;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; -webkit-text-size-adjust: 100%;
}
.wide { width: 100%; max-width: 68rem; margin-inline: auto; padding-inline: clamp(1rem, 4vw, 2rem); }
.top { border-block-end: 1px solid var(--line); background: var(--card); }
.top .wide { display: flex; align-items: center; justify-content: space-between; gap: 1rem; min-height: 4rem; }
.brand { font-weight: 700; font-size: 1.15rem; letter-spacing: -.01em; overflow-wrap: anywhere; }
.brand, .cart-link { color: inherit; text-decoration: none; }
.cart-link { white-space: nowrap; padding: .5rem 0; }
.count {
  display: inline-block; min-width: 1.5em; padding: 0 .4em; border-radius: 1em; text-align: center; font-size: .85rem;
  background: var(--accent); color: var(--on-accent);
}
.skip { position: absolute; inset-inline-start: -99rem; }
.skip:focus { inset-inline-start: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--card); }
main { flex: 1; padding-block: clamp(1.5rem, 5vw, 3rem); }
footer { padding-block: 2rem; color: var(--soft); font-size: .9rem; }
h1 { margin: 0 0 1.5rem; font-size: clamp(1.6rem, 4vw, 2.3rem); line-height: 1.2; letter-spacing: -.02em; overflow-wrap: anywhere; }
h2 { margin: 0 0 .75rem; font-size: 1.1rem; }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .3rem; }
.grid { display: grid; gap: clamp(1rem, 3vw, 2rem); grid-template-columns: repeat(auto-fill, minmax(min(14rem, 42%), 1fr)); padding: 0; margin: 0; list-style: none; }
.tile { display: block; color: inherit; text-decoration: none; }
.picture { display: block; width: 100%; height: auto; aspect-ratio: 1; object-fit: cover; border-radius: .8rem; background: var(--frame); }
.tile .name { display: block; margin-block-start: .7rem; font-weight: 600; overflow-wrap: anywhere; }
.tile:hover .name { text-decoration: underline; }
.soft { color: var(--soft); }
.price { font-variant-numeric: tabular-nums; }
.price s { color: var(--soft); font-weight: 400; }
.pages { display: flex; justify-content: space-between; margin-block-start: 2.5rem; }
.product { display: grid; gap: clamp(1.5rem, 4vw, 3rem); grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); align-items: start; }
.description { white-space: pre-line; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; padding: clamp(1rem, 3vw, 1.5rem); }
.split { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 1fr); align-items: start; }
@media (min-width: 52rem) { .split { grid-template-columns: minmax(0, 1.6fr) minmax(0, 1fr); } }
form { margin: 0; }
fieldset { border: 0; margin: 0 0 1.5rem; padding: 0; min-width: 0; }
legend { padding: 0; margin: 0 0 .75rem; font-weight: 700; font-size: 1.1rem; }
.fields { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
label { display: block; font-weight: 600; font-size: .95rem; }
.full { grid-column: 1 / -1; }
input, select {
  display: block; width: 100%; margin-block-start: .3rem; padding: .65rem .8rem; font: inherit; font-weight: 400; color: inherit;
  background: var(--ground); border: 1px solid var(--soft); border-radius: .5rem;
}
input[type=radio] { accent-color: var(--accent); display: inline-block; width: auto; margin: 0; }
input[type=number] { width: 5rem; }
[aria-invalid=true] { border-color: var(--bad); }
.error { color: var(--bad); font-weight: 400; }
.choice { display: flex; gap: .7rem; align-items: center; padding: .7rem .9rem; margin-block-end: .5rem; border: 1px solid var(--line); border-radius: .5rem; font-weight: 400; }
.choice .price { margin-inline-start: auto; }
.choice:has(:checked) { border-color: var(--accent); }
button, .button {
  display: inline-block; padding: .75rem 1.4rem; border: 1px solid transparent; border-radius: .5rem; font: inherit; font-weight: 600; cursor: pointer;
  background: var(--accent); color: var(--on-accent); text-decoration: none; text-align: center;
}
button:hover, .button:hover { filter: brightness(1.08); }
button.quiet { background: none; border-color: var(--line); color: inherit; padding: .4rem .6rem; font-weight: 400; white-space: nowrap; }
.block { width: 100%; }
.lines { list-style: none; margin: 0; padding: 0; }
.lines li { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr) auto; overflow-wrap: anywhere; gap: 1rem; padding-block: 1rem; border-block-end: 1px solid var(--line); }
.lines li:last-child { border: 0; }
.lines .price { white-space: nowrap; }
.lines a { hyphens: auto; }
.lines .picture { border-radius: .5rem; }
.lines .row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin-block-start: .6rem; }
.lines .row input { margin: 0; }
dl.sums { display: grid; grid-template-columns: 1fr auto; row-gap: .4rem; margin: 0 0 1.25rem; }
dl.sums dd { margin: 0; padding-inline-start: 1rem; text-align: end; font-variant-numeric: tabular-nums; }
dl.sums .total { font-weight: 700; font-size: 1.15rem; padding-block-start: .6rem; border-block-start: 1px solid var(--line); }
.notice { padding: 1rem 1.2rem; border-inline-start: 4px solid var(--bad); background: var(--card); border-radius: .4rem; margin-block-end: 1.5rem; }
`;
