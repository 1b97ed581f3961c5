import { chartStyle } from './line-chart.js'

export const style = `:root{color-scheme:light dark;--ink:#1f2328;--soft:#57606a;--rule:#d8dee4;--paper:#fff;--panel:#f6f8fa;--hit:86 180 233;--miss:245 158 60}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#a5acb4;--rule:#343b43;--paper:#0d1117;--panel:#161b22;--hit:0 104 170;--miss:190 92 0}}
body{font:15px/1.5 system-ui,sans-serif;max-width:68rem;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.2rem;margin:2.5rem 0 .75rem}
figure{margin:0;break-inside:avoid}figcaption{margin-bottom:.4rem;color:var(--soft);font-size:.87rem;text-align:left}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(max(10rem,21%),1fr));gap:.6rem 1.5rem;margin:0}
dt{color:var(--soft);font-size:.87rem}dd{margin:0;font-variant-numeric:tabular-nums}
.warnings{background:var(--panel);border-left:4px solid rgb(var(--miss));padding:.6rem 1rem}.warnings ul{margin:0;padding-left:1.1rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,max(20rem,40%)),1fr));gap:1.5rem 2rem}.charts svg{display:block;width:100%}
.scroll{overflow:auto;max-height:85vh;margin-bottom:1.5rem}
table{border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums;overflow-wrap:normal}
th{font-weight:600;background:var(--paper)}thead th{position:sticky;top:0;z-index:1}tbody th,thead th:first-child{text-align:left;position:sticky;left:0}thead th:first-child{z-index:2}
.confusion td{text-align:center;min-width:2.1rem;height:1.8rem;padding:0 .2rem;border:1px solid var(--rule);border-width:0 1px 1px 0;background:rgb(var(--miss)/var(--depth,0))}
.confusion td.hit{background:rgb(var(--hit)/var(--depth,0))}
.confusion th{font-size:.87rem;padding:0 .5rem 0 0}.confusion tbody th{max-width:10rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.confusion thead th{vertical-align:bottom;border-bottom:1px solid var(--rule);padding:0}
.confusion thead span{writing-mode:vertical-rl;rotate:180deg;max-height:9rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding-top:.3rem}
.dense,.dense th{font-size:.7rem}.dense td{min-width:1.25rem;height:1.25rem;padding:0}.dense tbody th{max-width:8rem}
.figures th,.figures td{padding:.2rem 1rem .2rem 0;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
.figures th:first-child,.classes td:last-child,.classes th:last-child{text-align:left}.classes tbody th{white-space:normal;overflow-wrap:anywhere;min-width:6rem;max-width:min(20rem,40vw)}
.figures .bar{min-width:4.5rem;background:linear-gradient(90deg,rgb(var(--hit)/.45) var(--share),transparent 0) 0 100%/calc(100% - 1rem) .25rem no-repeat}
.pictures{display:flex;flex-wrap:wrap;gap:1.5rem}.pictures figure{max-width:100%}.pictures figcaption{max-width:32rem}.pictures b{display:block;color:var(--ink)}
.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(6.2rem,1fr));gap:1rem}.mistakes img{width:100%;aspect-ratio:1;object-fit:contain;background:var(--panel)}
img{max-width:100%;height:auto;border-radius:3px}.pixels{image-rendering:pixelated}
@media print{body{margin:0;max-width:none;print-color-adjust:exact;-webkit-print-color-adjust:exact}.scroll{overflow:visible;max-height:none}th{position:static!important}.dense,.dense th{font-size:5px}.dense td{min-width:0;height:0}h2{break-after:avoid}tr{break-inside:avoid}}
${chartStyle}`
