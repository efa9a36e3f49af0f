"""The page's own style: light and dark, readable in print, nothing loaded."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5c6675; --line: #d7dce3; --paper: #fff;
  --c0: #2f6fde; --c1: #d9622b; --c2: #2a9d70; --c3: #9b51c9; --c4: #c3a11c; --c5: #d04468;
  --c6: #3a9bb5; --c7: #7d8592; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --soft: #9aa5b5; --line: #39414e;
  --paper: #14181f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.4rem; } h3 { font-size: 1rem; }
p.note, figcaption { color: var(--soft); }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line);
  padding: 0.7rem; font-size: 0.85rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 1rem; }
figure { margin: 0; } svg { width: 100%; height: auto; }
svg text { font-size: 11px; fill: var(--soft); } text.y { text-anchor: end; }
text.x { text-anchor: middle; } .grid { stroke: var(--line); }
.line { fill: none; stroke-width: 2; } .bound { stroke-width: 1; opacity: 0.6; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; font-size: 0.85rem; }
.swatch { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; }
""" + "".join(
    f".c{n} {{ fill: var(--c{n}); }} i.c{n} {{ background: var(--c{n}); }} "
    f".s{n} {{ stroke: var(--c{n}); }}\n"
    for n in range(8)
)
