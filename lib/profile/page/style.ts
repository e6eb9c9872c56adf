// How the page looks: light or dark as the device is, and readable on a phone. Data only.

export const STYLE = `
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --text: #16202c;
  --soft: #566374; --line: #c9d1db; --mark: #0b5fc2; --on-mark: #fff; --calm: #e8f1fc; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #10151b; --card: #19212b; --text: #e9eef5; --soft: #a5b2c2;
    --line: #3b4858; --mark: #7db8ff; --on-mark: #0b1a2c; --calm: #1e3046; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; min-height: 100vh; display: grid; place-items: start center;
  padding: max(1rem, 6vh) 1rem 2rem; background: var(--ground); color: var(--text);
  font: 1.0625rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 27rem; padding: 1.5rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 1rem; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
.host { margin: .25rem 0 1.5rem; color: var(--soft); overflow-wrap: anywhere; }
label { display: block; font-weight: 600; }
input[type=password] { width: 100%; min-height: 3rem; margin-top: .25rem; padding: .5rem .75rem;
  font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--soft);
  border-radius: .5rem; }
.hint { margin: .25rem 0 1rem; color: var(--soft); font-size: .9375rem; }
.check { display: flex; gap: .6rem; align-items: center; min-height: 2.75rem; font-weight: 400; }
.check input { margin: 0; width: 1.25rem; height: 1.25rem; accent-color: var(--mark); }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: .5rem; }
button, .go { flex: 1 1 10rem; min-height: 3rem; padding: .5rem 1rem; font: inherit;
  font-weight: 600; border: 1px solid var(--mark); border-radius: .5rem; background: none;
  color: var(--mark); cursor: pointer; }
button[type=submit], .go { background: var(--mark); color: var(--on-mark); }
button:disabled { opacity: .6; cursor: progress; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
video { width: 100%; margin-top: 1rem; border-radius: .5rem; }
.status { margin: 1.25rem 0 0; overflow-wrap: anywhere; }
.status:empty { display: none; }
.result { margin-top: 1rem; padding: 1rem; background: var(--calm); border-radius: .5rem; }
.result p { margin: 0; overflow-wrap: anywhere; }
.left { margin-bottom: .5rem !important; }
.left { font-size: 1.375rem; font-weight: 700; font-variant-numeric: tabular-nums; }
.left:empty { display: none; }
.go { display: block; text-align: center; text-decoration: none; overflow-wrap: anywhere; }
details { margin-top: 1.5rem; color: var(--soft); font-size: .9375rem; }
summary { padding: .5rem 0; cursor: pointer; }
details ul { margin: 0; padding-left: 1.25rem; }
details li { margin-bottom: .5rem; }
`
