"""The style sheet of a report: system fonts, light and dark, printable."""

from __future__ import annotations

STYLE = """
:root{--ink:#1c2330;--soft:#5b6575;--line:#d6dbe3;--back:#fff;--box:#f5f7fa;--link:#1d5fb8;--bad:#b42318;--good:#1a7f47}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ef;--soft:#9aa5b6;--line:#38414f;--back:#14181f;--box:#1c222c;
--link:#7db3f5;--bad:#f2877c;--good:#62c78e}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0;background:var(--back);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
main{max-width:70rem;margin:0 auto;padding:1.5rem 1.25rem 4rem}
h1{font-size:1.75rem;line-height:1.25;margin:.5rem 0 1rem}
h2{font-size:1.25rem;margin:0 0 .75rem}
h3{font-size:1rem;margin:1.25rem 0 .5rem}
p{max-width:46rem;margin:.5rem 0}
section{margin-top:2rem;padding-top:1.25rem;border-top:1px solid var(--line)}
a{color:var(--link)}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;font-size:.9rem}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.75rem;margin:0 0 1rem}
.card{background:var(--box);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
.card b{font-size:1.5rem;font-variant-numeric:tabular-nums}
.card span{color:var(--soft)}
.card small{display:block;color:var(--soft)}
pre{background:var(--box);border:1px solid var(--line);border-radius:.4rem;padding:.75rem .9rem;margin:.5rem 0;
overflow:auto;font:13px/1.5 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
pre.error{border-left:4px solid var(--bad)}
pre.repair{border-left:4px solid var(--good)}
pre.wrap{white-space:pre-wrap;overflow-wrap:anywhere}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--link)}
summary small{color:var(--soft)}
.drawing{overflow-x:auto;border-radius:.5rem}
.drawing svg{display:block;max-width:100%;height:auto;margin:0 auto}
.figure svg{display:block;max-width:100%;height:auto}
.table{overflow:auto;max-height:32rem;margin:.5rem 0}
table{border-collapse:collapse;font-size:.92rem}
th{position:sticky;top:0;background:var(--back);text-align:left;color:var(--soft);font-weight:600;white-space:nowrap}
th,td{padding:.3rem 1.4rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.code{font:13px/1.5 ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;white-space:nowrap}
tr.sum td{font-weight:600}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.15rem 1.5rem;margin:.75rem 0;
font-size:.92rem}
dl div{display:flex;gap:.6rem;justify-content:space-between;border-bottom:1px solid var(--line);padding:.15rem 0}
dt{color:var(--soft)}
dd{margin:0;text-align:right;overflow-wrap:anywhere}
@media print{.table,pre{max-height:none;overflow:visible}nav{display:none}}
"""
