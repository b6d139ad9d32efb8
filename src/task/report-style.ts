/**
 * @file How reports look.
 *
 * System fonts, one measure of text, two hues (Okabe and Ito's blue and vermilion, lighter in the dark). The
 * figures take their colours from the same variables.
 */

/** The style sheet of reports. */
export const REPORT_STYLE = `
:root {
  --figure-paper: #fff;
  --figure-ink: #1f2328;
  --figure-muted: #6b7280;
  --figure-blue: #0072b2;
  --figure-vermilion: #d55e00;
  --rule: #e3e6ea;
  --panel: #f6f7f9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --figure-paper: #14171c;
    --figure-ink: #e6e8eb;
    --figure-muted: #9aa3ae;
    --figure-blue: #56b4e9;
    --figure-vermilion: #f28e4b;
    --rule: #2b3038;
    --panel: #1d2128;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--figure-paper);
  color: var(--figure-ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
main { max-width: 66rem; margin: 0 auto; padding: 4rem 2rem 5rem; }
h1, h2, h3, p, pre, dl, dd, figure { margin: 0; }
.kicker { color: var(--figure-muted); font-size: 0.875rem; }
h1 { margin: 0.25rem 0 1rem; font-size: 2rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { margin-bottom: 1.25rem; padding-top: 1.25rem; border-top: 1px solid var(--rule); font-size: 1.25rem; font-weight: 650; letter-spacing: -0.01em; }
h3 { margin-bottom: 0.5rem; font-size: 0.9375rem; font-weight: 650; }
section { margin-top: 3rem; }
code { font: 0.875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
.command { padding: 0.625rem 0.875rem; border-radius: 6px; background: var(--panel); white-space: pre-wrap; overflow-wrap: anywhere; }
.summary { display: grid; grid-template-columns: 1fr 1fr; gap: 2.5rem; align-items: end; }
.figure-of-merit { margin-bottom: 0.5rem; font-size: 4rem; line-height: 1; font-weight: 650; letter-spacing: -0.03em; font-variant-numeric: tabular-nums; }
.figure-of-merit span { font-size: 1.375rem; font-weight: 500; letter-spacing: 0; color: var(--figure-muted); }
.numbers { display: grid; grid-template-columns: 1fr 1fr; gap: 1.25rem 2rem; }
.numbers dt { color: var(--figure-muted); font-size: 0.875rem; }
.numbers dd { font-size: 1.375rem; line-height: 1.3; font-weight: 600; font-variant-numeric: tabular-nums; }
.note { margin-top: 1.5rem; padding: 0.25rem 0 0.25rem 1rem; border-left: 3px solid var(--figure-vermilion); }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 2.5rem; align-items: start; }
.pair figure + figure { margin-top: 0; }
.pair div figure + figure { margin-top: 1.75rem; }
figure svg { display: block; width: 100%; height: auto; }
figure svg text { font-variant-numeric: tabular-nums; }
figcaption { margin-top: 0.5rem; color: var(--figure-muted); font-size: 0.875rem; line-height: 1.5; }
.key { font-weight: 700; }
.key.blue { color: var(--figure-blue); }
.key.vermilion { color: var(--figure-vermilion); }
.ramp { white-space: nowrap; }
.ramp i { display: inline-block; width: 1.25em; height: 0.75em; background: var(--figure-blue); vertical-align: baseline; }
.manifest { columns: 2; column-gap: 2.5rem; }
.manifest div { display: flex; justify-content: space-between; gap: 1.5rem; padding: 0.3125rem 0; border-bottom: 1px solid var(--rule); break-inside: avoid; font-size: 0.9375rem; }
.manifest dt { color: var(--figure-muted); white-space: nowrap; }
.manifest dd { text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.scores { width: 100%; border-collapse: collapse; font-size: 0.9375rem; font-variant-numeric: tabular-nums; }
.scores :is(td, th) { padding: 0.3125rem 0 0.3125rem 1rem; border-bottom: 1px solid var(--rule); text-align: right; font-weight: 400; }
.scores thead th { color: var(--figure-muted); }
.scores tr > :first-child { padding-left: 0; text-align: left; overflow-wrap: anywhere; }
.step + .step { margin-top: 1.25rem; }
.step p { margin-bottom: 0.375rem; }
@media (max-width: 46rem) {
  main { padding: 2rem 1.25rem 3rem; }
  .summary, .pair { grid-template-columns: minmax(0, 1fr); }
  .manifest { columns: 1; }
}
@media print {
  :root { --figure-paper: #fff; --figure-ink: #000; --figure-muted: #444; --figure-blue: #0072b2; --figure-vermilion: #d55e00; --rule: #bbb; --panel: #f2f2f2; }
  body { font-size: 10.5pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  section { margin-top: 1.5rem; }
  figure, .step, .summary { break-inside: avoid; }
  h2 { break-after: avoid; }
}
`;
