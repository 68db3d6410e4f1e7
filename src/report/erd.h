/* Diagrams of schemas: as an SVG that stands alone, in Mermaid's language, as a page. */
#pragma once

#include "base/str.h"
#include "erd/erd.h"

/* Laid out already. The SVG carries its look, light and dark; names are text in it, never markup.
 * title: what it is a diagram of */
void report_erd_svg(Buf *out, const Erd *e, const char *title);
/* The same for a page that has the look. */
void report_erd_inline(Buf *out, const Erd *e, const char *title);
void report_erd_html(Buf *out, const Erd *e, const char *title);
/* Needs no layout. Mermaid knows no names but words: others are said in words' letters, and as an alias. */
void report_erd_mermaid(Buf *out, const Erd *e);
/* What the signs in a diagram mean, as the list of a page. */
void report_erd_legend(Buf *out, const Erd *e);
