/* What the schema language needs to know about Unicode. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* General categories Lu, Ll, Lt, Lm, Lo: what names are made of, beside ASCII digits. */
bool unicode_is_letter(uint32_t cp);

/* General category Zs. */
bool unicode_is_space(uint32_t cp);

/* Columns on a terminal: 0, 1 or 2. */
unsigned unicode_columns(uint32_t cp);
