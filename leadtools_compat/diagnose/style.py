"""The style sheet of the page: light, dark, paper; from 320 pixels on.

The one rule: colour is never the only sign; every state has a mark or a word too.
"""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root{--ground:#f6f7f9;--card:#fff;--ink:#1b2027;--soft:#5a6472;--line:#d5dae1;
--good:#17693a;--good-soft:#e3f3e9;--note:#245f9e;--note-soft:#e4eef9;
--warning:#8a5a00;--warning-soft:#fdf1d8;--error:#ab1f2a;--error-soft:#fbe5e6}
@media (prefers-color-scheme:dark){:root{--ground:#14171c;--card:#1d2229;--ink:#e6e9ee;
--soft:#9aa5b4;--line:#343c47;--good:#6fce95;--good-soft:#173323;--note:#86b8ee;
--note-soft:#172a40;--warning:#e6b95c;--warning-soft:#372a10;--error:#ff8d93;--error-soft:#42191d}}
*{box-sizing:border-box}
body{margin:0;overflow-wrap:anywhere;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,footer{max-width:60rem;margin:0 auto;padding:1rem}
header,section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;
padding:1rem 1.25rem;margin:0 0 1rem}
header{border-left:.5rem solid var(--note)}
header.good{border-left-color:var(--good)}header.warning{border-left-color:var(--warning)}
header.error{border-left-color:var(--error)}
.target{margin:0;color:var(--soft);font-family:ui-monospace,Menlo,Consolas,monospace;
overflow-wrap:anywhere}
h1{font-size:1.35rem;line-height:1.35;margin:.25rem 0 0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:0 0 .6rem}
h3{font-size:.95rem;margin:0;overflow-wrap:anywhere}
p{margin:.15rem 0}
.mark{display:inline-flex;align-items:center;justify-content:center;flex:none;width:1.5em;
height:1.5em;border-radius:50%;font-weight:700;font-size:.9em}
.good>.mark,header.good .mark{color:var(--good);background:var(--good-soft)}
.note>.mark,header.note .mark{color:var(--note);background:var(--note-soft)}
.warning>.mark,header.warning .mark{color:var(--warning);background:var(--warning-soft)}
.error>.mark,header.error .mark{color:var(--error);background:var(--error-soft)}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
ul.findings{list-style:none;margin:0;padding:0}
ul.findings li{display:flex;gap:.75rem;padding:.55rem 0;border-top:1px solid var(--line)}
ul.findings li:first-child{border-top:0}
ul.findings div{min-width:0;overflow-wrap:anywhere}
.label{color:var(--soft);font-size:.85em;display:block}
.remedy{font-weight:600}
.remedy::before{content:"\\2192\\00a0"}
.verdict .remedy{display:block;color:var(--ink)}
.wide{overflow-x:auto}
svg.sequence{display:block;width:100%;min-width:34rem;max-width:45rem;height:auto;margin:0 auto;
font:13px ui-sans-serif,system-ui,sans-serif}
.life{stroke:var(--line);stroke-width:2}
.arrow{stroke:var(--note);stroke-width:1.8}.tip{fill:var(--note)}
.band{fill:var(--good-soft);stroke:var(--good)}
.dot{fill:var(--good)}.who{font-weight:600;fill:var(--ink)}
.time{fill:var(--soft);font-variant-numeric:tabular-nums}
svg .label{fill:var(--ink);font-size:13px}
svg .bad{font-weight:600}
.arrow.bad{stroke:var(--error)}.tip.bad,.dot.bad,svg .label.bad{fill:var(--error)}
.band.bad{fill:var(--error-soft);stroke:var(--error)}
ul.chain,ul.chain ul{list-style:none;margin:0;padding:0}
ul.chain ul{margin-left:1.1rem;padding-left:1.1rem;border-left:2px solid var(--line)}
ul.chain ul>li{position:relative;padding-top:.7rem}
ul.chain ul>li::before{content:"";position:absolute;left:-1.1rem;top:2rem;width:1.1rem;
border-top:2px solid var(--line)}
.certificate{border:1px solid var(--line);border-left:.3rem solid var(--note);border-radius:.4rem;
padding:.6rem .8rem;overflow-wrap:anywhere}
.certificate.good{border-left-color:var(--good)}.certificate.error{border-left-color:var(--error)}
.certificate p{color:var(--soft);font-size:.9em}
.certificate .verdict{font-weight:600;color:var(--good)}
.certificate .verdict.error{color:var(--error)}
dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.1rem .9rem;margin:.3rem 0;
font-size:.92em}
dt{color:var(--soft)}dd{margin:0;min-width:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;
border-top:1px solid var(--line)}
tr:first-child>*{border-top:0}
th{white-space:nowrap;font-weight:600}
td ol{margin:.2rem 0 0;padding-left:1.6rem;font:.85em/1.5 ui-monospace,Menlo,Consolas,monospace;
overflow-wrap:anywhere}
details{border-top:1px solid var(--line);padding:.4rem 0}
summary{cursor:pointer;overflow-wrap:anywhere}
pre{overflow-x:auto;font-size:.85em;line-height:1.4}
footer{color:var(--soft);font-size:.85em;padding-top:0}
@media (max-width:30rem){main{padding:.5rem}header,section{padding:.8rem}
dl{grid-template-columns:1fr}dd{margin-bottom:.3rem}
ul.chain ul{margin-left:.3rem;padding-left:.6rem}ul.chain ul>li::before{left:-.6rem;width:.6rem}}
@media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--good:#17693a;
--good-soft:#fff;--note:#245f9e;--note-soft:#fff;--warning:#8a5a00;--warning-soft:#fff;
--error:#ab1f2a;--error-soft:#fff}
body{font-size:10.5pt}main,footer{max-width:none;padding:0}
header,section{border-radius:0;border-width:0 0 1px;padding:.6rem 0}
header{border-left-width:.5rem;padding-left:.8rem}
.certificate,ul.findings li,tr{break-inside:avoid}h2{break-after:avoid}
svg.sequence{min-width:0}
details::details-content{content-visibility:visible;height:auto}
.mark{border:1px solid currentColor}}
"""
