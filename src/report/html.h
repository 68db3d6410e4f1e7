/* Pages that people look at in a browser: one file each, without a script, a network or anything from outside.
 *
 * What is written into a page goes through html_text; its policy (CSP) lets nothing run and nothing load, so that
 * a name that got through would still do nothing. Times, sizes and marks are never told by colour alone. */
#pragma once

#include "base/str.h"

/* A page's begin, with its style, and its end. title: as people know it, not yet made safe. wide: of a diagram */
void html_begin(Buf *out, const char *title, bool is_wide);
void html_end(Buf *out);

/* Text as text: made printable and escaped, also for attributes in double quotes. multiline: line ends stay. */
void html_text(Buf *out, Str text, bool multiline);
void html_textz(Buf *out, const char *text);

/* The look of a diagram, for the head of one that stands alone. */
Str html_erd_style(void);
