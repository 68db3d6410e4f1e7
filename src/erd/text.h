/* How wide a text is, as far as that is known without the font. */
#pragma once

#include <stdbool.h>

/* In pixels, of a font with Helvetica's widths or an eighth more. size: of the letters, in pixels */
int erd_text_width(const char *text, int size, bool is_bold);
