// SPDX-License-Identifier: MIT
// How the report page looks: light, dark, narrow and on paper.
#pragma once

#include <redoubt/base/config.hpp>

#include <string_view>

namespace redoubt::app::inline v1 {

/// The style sheet. Series colours s0..s7 have a contrast of at least 4.5 to the ground and differ in lightness for readers
/// who do not see hue, as do the classes h0..h8 of the heat map, which run from the ground to its opposite.
inline constexpr std::string_view page_style = R"css(
:root{color-scheme:light dark;--ground:#fff;--raised:#f6f7f9;--ink:#1b1f24;--faint:#596069;--rule:#d8dce1;--link:#0b57a4;
--s0:#4a4f57;--s1:#0065a8;--s2:#b8420a;--s3:#007a55;--s4:#a0307f;--s5:#7d6200;--s6:#5540c0;--s7:#7a4a2a;
--h0:#f0f1f3;--h1:#d5e3f1;--h2:#b5d0e8;--h3:#90b9dd;--h4:#689ecf;--h5:#447fbd;--h6:#2a5fa0;--h7:#1c3f7c;--h8:#0f1f52;
--hatch:#aab1ba}
@media screen and (prefers-color-scheme:dark){:root{--ground:#14171b;--raised:#1d2126;--ink:#e6e8eb;--faint:#a0a7b0;
--rule:#363c44;--link:#7db9f5;--s0:#c3c8cf;--s1:#58b2f5;--s2:#ff9361;--s3:#43cf9f;--s4:#ee8fd2;--s5:#dfbd45;--s6:#aba6ff;
--s7:#d3a684;--h0:#23272d;--h1:#283c54;--h2:#2e4c6e;--h3:#335b87;--h4:#3873aa;--h5:#4a8fca;--h6:#73aee0;--h7:#a9cff0;
--h8:#eaf5ff;--hatch:#59626d}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1320px;margin:0 auto;padding:24px 16px 48px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 8px}
h2{font-size:1.25rem;margin:44px 0 6px;padding-top:14px;border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:26px 0 4px}
h1,h2,h3,p,dd,li,figcaption{overflow-wrap:anywhere}
p,ul{max-width:78ch;margin:6px 0}
.faint,figcaption span{color:var(--faint)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 20px;margin:12px 0}
dt{color:var(--faint)}
dd{margin:0}
pre{background:var(--raised);border:1px solid var(--rule);border-radius:6px;padding:10px 12px;white-space:pre-wrap;
overflow-wrap:anywhere;font:14px/1.45 ui-monospace,"DejaVu Sans Mono",monospace}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,390px),1fr));gap:20px 28px;margin:14px 0}
.figures.maps{grid-template-columns:repeat(auto-fill,minmax(min(100%,520px),1fr))}
.figures.pairs{grid-template-columns:repeat(auto-fill,minmax(min(100%,600px),1fr))}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,270px),1fr));gap:6px 16px}
figure{margin:0;break-inside:avoid;min-width:0}
figcaption{font-weight:600;margin-bottom:4px}
figcaption span{font-weight:400}
svg{display:block;width:100%;height:auto;max-width:640px}
svg text{font:11.5px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
svg .end{text-anchor:end}svg .mid{text-anchor:middle}svg .faint{fill:var(--faint)}svg .small{font-size:10.5px}
svg .strong{font-weight:700}
svg .name{fill:currentColor;paint-order:stroke;stroke:var(--ground);stroke-width:3px;stroke-linejoin:round}
.grid{stroke:var(--rule);stroke-width:.8}.axis{stroke:var(--faint);stroke-width:1}
.curve{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}
.whisker{fill:none;stroke:currentColor;stroke-width:1.3}
.leader{stroke:currentColor;stroke-width:.7;opacity:.45}
.band{fill:currentColor;opacity:.09}
.mark{fill:currentColor;stroke:var(--ground);stroke-width:.8}
.open{fill:var(--ground);stroke:currentColor;stroke-width:1.5}
.front{fill:none;stroke:var(--faint);stroke-width:1.2;stroke-dasharray:5 3}
.ring{fill:none;stroke:currentColor;stroke-width:1.2;opacity:.8}
.hatch{fill:none;stroke:var(--hatch);stroke-width:1}
.s0{color:var(--s0)}.s1{color:var(--s1)}.s2{color:var(--s2)}.s3{color:var(--s3)}
.s4{color:var(--s4)}.s5{color:var(--s5)}.s6{color:var(--s6)}.s7{color:var(--s7)}
.d1 .curve{stroke-dasharray:7 3}.d2 .curve{stroke-dasharray:2.5 2.5}.d3 .curve{stroke-dasharray:9 3 2 3}.d4 .curve{stroke-dasharray:4 4}
.h0{fill:var(--h0)}.h1{fill:var(--h1)}.h2{fill:var(--h2)}.h3{fill:var(--h3)}.h4{fill:var(--h4)}
.h5{fill:var(--h5)}.h6{fill:var(--h6)}.h7{fill:var(--h7)}.h8{fill:var(--h8)}
rect[class]{stroke:var(--ground);stroke-width:.6}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;max-width:none;font-size:.9rem}
.legend span{display:inline-flex;align-items:center;gap:6px;min-width:0}
svg.swatch{flex:none;width:16px;height:16px}
.table{overflow-x:auto;margin:12px 0;border:1px solid var(--rule);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:.78rem;font-variant-numeric:tabular-nums}
th,td{padding:4px 5px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
th{background:var(--raised);font-weight:600;white-space:normal;vertical-align:bottom}
tr:last-child td{border-bottom:0}
.word{text-align:left;unicode-bidi:isolate}
.long{white-space:normal;overflow-wrap:anywhere;min-width:12em}
.first td{border-top:2px solid var(--faint)}
@media screen and (max-width:600px){svg .small{font-size:11.8px}dl{gap:2px 14px}}
@media print{@page{margin:12mm}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{font-size:9.5pt}main{max-width:none;padding:0}
h2{margin-top:18pt}h2,h3,h2+p,.legend,figcaption{break-after:avoid}pre{font-size:8pt}tr{break-inside:avoid}
.figures{grid-template-columns:repeat(2,minmax(0,1fr));gap:10pt 14pt}
.figures.maps,.figures.pairs{grid-template-columns:minmax(0,1fr)}.pair{grid-template-columns:repeat(2,minmax(0,1fr))}
.maps svg:not(.swatch){max-width:430pt}
.table{overflow:visible;border:0}table{font-size:5.8pt}th,td{padding:1.5pt 2.5pt}.long{min-width:0}}
)css";

}  // namespace redoubt::app::inline v1
